import type { InboundStreamMessage, LinkStream } from '@sallyport/carrier'
import type { LoginPrompt } from '@sallyport/protocol'
import type { AnyAuthMethod, AuthenticationType, ParsedKey } from 'ssh2'
import ssh2 from 'ssh2'

export type LoginMethod = LoginPrompt['methods'][number]
export type LoginAnswer = Extract<InboundStreamMessage, { op: 'login_answer' }>
type PromptKind = LoginPrompt['kind']
type PromptFields = Pick<LoginPrompt, 'prompts' | 'methods'> & {
	readonly error?: string
	readonly title?: string
	readonly instructions?: string
}

/** Asks the person at the other end of a stream; one question at a time. */
export class LoginPrompter {
	readonly #stream: LinkStream
	#promptId = 0
	#waiting: ((answer: LoginAnswer) => void) | undefined

	constructor(stream: LinkStream) {
		this.#stream = stream
	}

	ask(kind: PromptKind, fields: PromptFields): Promise<LoginAnswer> {
		this.#promptId++
		this.#stream.send({ op: 'login_prompt', prompt_id: this.#promptId, kind, ...fields })
		return new Promise((resolve) => {
			this.#waiting = resolve
		})
	}

	/** An answer to an older question is ignored: the person answered what is no longer asked. */
	handle(message: InboundStreamMessage): void {
		if (message.op !== 'login_answer' || message.prompt_id !== this.#promptId) return
		const waiting = this.#waiting
		this.#waiting = undefined
		waiting?.(message)
	}
}

const ATTEMPTS = 3
const METHODS: readonly (readonly [AuthenticationType, LoginMethod])[] = [
	['keyboard-interactive', 'keyboard_interactive'],
	['password', 'password'],
	['publickey', 'public_key'],
]

/**
 * One login, as its server leads it: `next` is asked after each refusal for the next thing to try. A server that wants
 * several factors says that one was right (`partialSuccess`) and is given the next.
 */
export class SshLogin {
	readonly #prompter: LoginPrompter
	readonly #username: string
	/** `none`: this node's sshd asks for nothing, so nobody is asked. */
	readonly #mode: 'credentials_prompt' | 'none'
	#hasTriedNone = false
	#attempts = 0
	#lastTried: LoginMethod | undefined
	/** A private key given where a password was asked. */
	#keyInHand: ParsedKey | undefined

	constructor(prompter: LoginPrompter, username: string, mode: 'credentials_prompt' | 'none') {
		this.#prompter = prompter
		this.#username = username
		this.#mode = mode
	}

	get attempts(): number {
		return this.#attempts
	}

	/** Undefined: nothing is left to try. */
	async next(methodsLeft: readonly AuthenticationType[] | null, partialSuccess: boolean): Promise<AnyAuthMethod | undefined> {
		const username = this.#username
		if (!this.#hasTriedNone) {
			// Tells which methods the server takes, and lets in where none is needed.
			this.#hasTriedNone = true
			return { type: 'none', username }
		}
		if (this.#mode === 'none') return undefined
		if (this.#keyInHand !== undefined) {
			const key = this.#keyInHand
			this.#keyInHand = undefined
			this.#lastTried = 'public_key'
			return { type: 'publickey', username, key }
		}
		const offered = METHODS.filter(([type]) => methodsLeft?.includes(type) === true).map(([, method]) => method)
		const error = this.#lastTried === undefined || partialSuccess ? undefined : refusalText(this.#lastTried)
		if (error !== undefined) this.#attempts++
		if (offered.length === 0 || this.#attempts >= ATTEMPTS) return undefined
		if (offered.includes('keyboard_interactive')) return this.#keyboardInteractive(offered, error)
		return this.#passwordOrKey(offered, error)
	}

	async #passwordOrKey(methods: readonly LoginMethod[], error: string | undefined): Promise<AnyAuthMethod | undefined> {
		const takesPassword = methods.includes('password')
		const answer = await this.#prompter.ask('password', {
			prompts: takesPassword ? [{ text: `Password of ${this.#username}`, echo: false }] : [],
			methods: [...methods],
			...(error === undefined ? {} : { error }),
			...(takesPassword ? {} : { instructions: 'This server takes private keys only.' }),
		})
		if (answer.private_key !== undefined) {
			const key = await this.#parseKey(answer, methods)
			this.#lastTried = 'public_key'
			return { type: 'publickey', username: this.#username, key }
		}
		this.#lastTried = 'password'
		return { type: 'password', username: this.#username, password: answer.answers?.[0] ?? '' }
	}

	#keyboardInteractive(methods: readonly LoginMethod[], firstError: string | undefined): AnyAuthMethod {
		let error = firstError
		this.#lastTried = 'keyboard_interactive'
		const ask = async (
			title: string,
			instructions: string,
			prompts: readonly { prompt: string; echo?: boolean }[],
		): Promise<string[]> => {
			if (prompts.length === 0) return []
			const answer = await this.#prompter.ask('keyboard_interactive', {
				title: clean(title, 512),
				instructions: clean(instructions, 2048),
				prompts: prompts.slice(0, 16).map(({ prompt, echo }) => ({ text: clean(prompt, 512), echo: echo === true })),
				methods: [...methods],
				...(error === undefined ? {} : { error }),
			})
			error = undefined
			if (answer.private_key === undefined) return prompts.map((_, index) => answer.answers?.[index] ?? '')
			this.#keyInHand = await this.#parseKey(answer, methods)
			return prompts.map(() => '')
		}
		return {
			type: 'keyboard-interactive',
			username: this.#username,
			// oxlint-disable-next-line max-params -- ssh2 calls it like this
			prompt: (title, instructions, _language, prompts, finish) => void ask(title, instructions, prompts).then(finish),
		}
	}

	/** Asks until the key can be read: for its passphrase, or for another key. */
	async #parseKey(first: LoginAnswer, methods: readonly LoginMethod[]): Promise<ParsedKey> {
		let { private_key: given } = first
		let error: string | undefined
		for (;;) {
			const parsed = given === undefined ? undefined : parsePrivateKey(given.key, given.passphrase)
			if (parsed?.kind === 'key') return parsed.key
			const needsPassphrase = given !== undefined && parsed?.kind === 'encrypted'
			if (needsPassphrase) error = given?.passphrase === undefined ? undefined : 'The passphrase is wrong.'
			else error = 'This is not a private key in OpenSSH or PEM form.'
			const answer = await this.#prompter.ask(needsPassphrase ? 'passphrase' : 'password', {
				prompts: needsPassphrase ? [{ text: 'Passphrase of the key', echo: false }] : [],
				methods: needsPassphrase ? ['public_key'] : [...methods],
				...(error === undefined ? {} : { error }),
			})
			if (answer.private_key !== undefined) given = answer.private_key
			else if (given !== undefined && needsPassphrase) given = { key: given.key, passphrase: answer.answers?.[0] ?? '' }
		}
	}
}

type ReadKey = { readonly kind: 'key'; readonly key: ParsedKey } | { readonly kind: 'encrypted' } | { readonly kind: 'invalid' }

export function parsePrivateKey(text: string, passphrase: string | undefined): ReadKey {
	const parsed = ssh2.utils.parseKey(text, passphrase)
	if (parsed instanceof Error) {
		return /passphrase|decrypt|integrity|bad decrypt|encrypted/i.test(parsed.message)
			? { kind: 'encrypted' }
			: { kind: 'invalid' }
	}
	// A file with several keys gives a list, which the types don't say: it holds no one key that was meant.
	if (Array.isArray(parsed)) return { kind: 'invalid' }
	return parsed.isPrivateKey() ? { kind: 'key', key: parsed } : { kind: 'invalid' }
}

function refusalText(method: LoginMethod): string {
	switch (method) {
		case 'password':
			return 'The server did not accept that password.'
		case 'keyboard_interactive':
			return 'The server did not accept that answer.'
		case 'public_key':
			return 'The server did not accept that key.'
	}
}

/** A server's words are hostile text: no control characters but line breaks, and no more than fits. */
function clean(text: string, maxLength: number): string {
	// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
	return text.replaceAll(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '').slice(0, maxLength)
}
