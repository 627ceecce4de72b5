import { CliError, EXIT } from '../exit-codes.ts'

/** All of standard input as text, for secrets and bundles that must not stand in argv. */
export async function readStdin(maxBytes: number): Promise<string> {
	const parts: Buffer[] = []
	let length = 0
	for await (const part of process.stdin) {
		const bytes = Buffer.from(part as Uint8Array)
		parts.push(bytes)
		length += bytes.length
		if (length > maxBytes)
			throw new CliError(EXIT.usage, `standard input holds more than ${maxBytes} bytes: that is not what is wanted here`)
	}
	return Buffer.concat(parts).toString('utf8')
}
