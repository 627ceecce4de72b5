import { Check, Copy } from 'lucide-react'
import { useEffect, useState } from 'react'
import { toast } from 'sonner'
import { Button, IconButton } from './button.tsx'

/** True for two seconds after a copy that worked. */
export function useCopy(text: string): readonly [isCopied: boolean, copy: () => void] {
	const [isCopied, setCopied] = useState(false)
	useEffect(() => {
		if (!isCopied) return
		const timer = setTimeout(() => setCopied(false), 2000)
		return () => clearTimeout(timer)
	}, [isCopied])
	const copy = () => {
		navigator.clipboard.writeText(text).then(
			() => setCopied(true),
			() => toast.error('The browser did not let this page copy. Select the text and copy it by hand.'),
		)
	}
	return [isCopied, copy]
}

export function CopyIcon({ text, label }: { readonly text: string; readonly label: string }) {
	const [isCopied, copy] = useCopy(text)
	return (
		<IconButton label={isCopied ? 'Copied' : label} size="sm" onClick={copy}>
			{isCopied ? <Check className="size-3.5 text-accent" /> : <Copy className="size-3.5" />}
		</IconButton>
	)
}

/** A command or secret in full, with its copy button below: nothing is cut off. */
export function CopyBlock({
	text,
	label,
	isPrimary = true,
}: {
	readonly text: string
	readonly label: string
	readonly isPrimary?: boolean
}) {
	const [isCopied, copy] = useCopy(text)
	return (
		<div className="overflow-hidden rounded-lg border border-line bg-sunken">
			{/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable block must be reachable by keyboard */}
			<pre
				className="scroll-thin max-h-32 overflow-y-auto px-3 py-2.5 text-xs leading-5 break-all whitespace-pre-wrap"
				tabIndex={0}
				aria-label={label}
			>
				{text}
			</pre>
			<div className="flex items-center justify-end border-t border-line bg-surface px-2 py-2">
				<Button
					size="sm"
					variant={isPrimary ? 'primary' : 'secondary'}
					onClick={copy}
					icon={isCopied ? <Check className="size-4" /> : <Copy className="size-4" />}
					className="w-28"
				>
					{isCopied ? 'Copied' : 'Copy'}
				</Button>
			</div>
		</div>
	)
}
