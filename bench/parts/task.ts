/** What the parts of the bench are told, on standard input. */
export interface SshTarget {
	readonly command: readonly string[]
}

export type ClientTask =
	| { readonly kind: 'echo'; readonly node: string; readonly ssh: SshTarget; readonly rounds: number; readonly keys: number }
	| { readonly kind: 'open'; readonly node: string; readonly ssh: SshTarget; readonly rounds: number }
	| { readonly kind: 'flood'; readonly node: string; readonly ssh: SshTarget; readonly rounds: number; readonly keys: number }

/** Milliseconds, a list for each round. */
export interface Rounds {
	readonly ours: readonly (readonly number[])[]
	readonly direct: readonly (readonly number[])[]
	/** Until the terminal was there; its program may still be starting. */
	readonly opened?: readonly number[]
}

export async function readTask<T>(): Promise<T> {
	let text = ''
	for await (const chunk of process.stdin.setEncoding('utf8')) text += String(chunk)
	const task: T = JSON.parse(text)
	return task
}
