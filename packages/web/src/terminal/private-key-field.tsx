import { Upload } from 'lucide-react'
import { useState } from 'react'
import { Field, inputClass, PasswordField } from '../ui/field.tsx'

const MAX_KEY_BYTES = 12_288

export interface PrivateKeyFieldProps {
	readonly value: string
	readonly onChange: (key: string) => void
	readonly passphrase: string
	readonly onPassphrase: (passphrase: string) => void
}

/** A key by paste, by file or dropped; it is kept only until the login has ended. */
export function PrivateKeyField({ value, onChange, passphrase, onPassphrase }: PrivateKeyFieldProps) {
	const [problem, setProblem] = useState<string>()
	const take = async (file: File | undefined) => {
		if (file === undefined) return
		if (file.size > MAX_KEY_BYTES) return setProblem('That file is too large to be a private key')
		const text = await file.text()
		setProblem(keyProblem(text))
		onChange(text)
	}
	return (
		<div className="flex flex-col gap-4">
			<Field
				label="Private key"
				hint="OpenSSH or PEM. It goes to the machine inside the encrypted link and is not kept."
				error={problem}
			>
				{(ids) => (
					<textarea
						{...ids}
						rows={5}
						value={value}
						spellCheck={false}
						autoComplete="off"
						autoFocus
						placeholder="-----BEGIN OPENSSH PRIVATE KEY-----"
						onChange={(event) => {
							onChange(event.target.value)
							setProblem(undefined)
						}}
						onBlur={() => setProblem(value.trim() === '' ? undefined : keyProblem(value))}
						onDrop={(event) => {
							event.preventDefault()
							void take(event.dataTransfer.files[0])
						}}
						className={`${inputClass} resize-y py-2 font-mono text-xs leading-5`}
					/>
				)}
			</Field>
			<label className="-mt-2 self-start">
				<input type="file" className="peer sr-only" onChange={(event) => void take(event.target.files?.[0])} />
				<span className="inline-flex h-8 cursor-pointer items-center gap-1.5 rounded-md border border-line bg-surface px-2.5 text-sm font-medium shadow-card peer-focus-visible:outline-2 peer-focus-visible:outline-offset-2 peer-focus-visible:outline-accent hover:bg-hover">
					<Upload className="size-4" aria-hidden="true" />
					Choose a file
				</span>
			</label>
			<PasswordField
				label="Passphrase"
				hint="Only if the key has one."
				autoComplete="off"
				value={passphrase}
				onChange={(event) => onPassphrase(event.target.value)}
			/>
		</div>
	)
}

/** What is wrong with a text that should be a private key, as far as one can tell without opening it. */
export function keyProblem(text: string): string | undefined {
	if (/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[\s\S]+-----END [A-Z0-9 ]*PRIVATE KEY-----/.test(text)) return undefined
	if (/^(ssh|ecdsa|sk)-[a-z0-9@.-]+ /.test(text.trim()))
		return 'This is a public key. The private one is in the file without .pub'
	if (/PuTTY-User-Key-File/.test(text)) return 'This is a PuTTY key. Export it in OpenSSH form (puttygen, Conversions)'
	return 'This is not a whole private key: copy it from -----BEGIN to -----END'
}
