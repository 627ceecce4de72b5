import type { SshLoginUi, TerminalEnd, TerminalSession } from '@sallyport/client'

const encoder = new TextEncoder()
const GREEN = '\x1b[1;32m'
const BLUE = '\x1b[1;34m'
const DIM = '\x1b[2m'
const RESET = '\x1b[0m'

export interface ScriptedShellOptions {
	readonly host: string
	readonly user: string
	readonly terminalId: string
	/** What it shows first. */
	readonly replay: string
	/** The word `cut` or `away` was typed: from now on the machine is out of reach. */
	readonly onCut: () => void
}

/** A pretended shell that echoes and knows a few words: for pictures and for trying the screen by hand. */
export function createScriptedShell(options: ScriptedShellOptions): TerminalSession {
	const { host, user, terminalId, replay } = options
	let output: (bytes: Uint8Array, done: () => void) => void = () => {}
	let end: (end: TerminalEnd) => void = () => {}
	let line = ''
	const ended = new Promise<TerminalEnd>((resolve) => {
		end = resolve
	})
	const print = (text: string) => output(encoder.encode(text), () => {})
	const prompt = () => print(`${GREEN}${user}@${host}${RESET}:${BLUE}~/gate${RESET}$ `)
	const run = (command: string) => {
		const [name, ...rest] = command.split(/\s+/)
		if (name === 'cut' || name === 'away') options.onCut()
		if (name === 'exit' || name === 'away') return end({ kind: 'exit', status: Number(rest[0] ?? 0) })
		if (name === 'cut')
			return end({ kind: 'link', end: { code: 'connection_lost', message: 'the connection was lost', retry: true } })
		if (name === 'flood') print(Array.from({ length: 20_000 }, (_, index) => `line ${index}\r\n`).join(''))
		else if (name === 'clip') print('\x1b]52;c;aGVsbG8gZnJvbSB0aGUgc2hlbGw=\x07')
		else if (name === 'title') print(`\x1b]0;${rest.join(' ')}\x07`)
		else if (name === 'links') print('see https://example.com/docs and \x1b]8;;https://example.org/x\x1b\\this\x1b]8;;\x1b\\\r\n')
		else if (name !== '' && name !== undefined) print(`${name}: no such command in the preview\r\n`)
		prompt()
	}
	return {
		terminalId,
		name: host,
		kind: 'shell',
		ended,
		onOutput(handler) {
			output = handler
			print(replay)
			if (replay === '' || replay.endsWith('\n')) prompt()
		},
		write(bytes) {
			for (const char of new TextDecoder().decode(bytes)) {
				if (char === '\r') {
					print('\r\n')
					run(line)
					line = ''
				} else if (char === '\x7f') {
					if (line !== '') print('\b \b')
					line = line.slice(0, -1)
				} else if (char === '\x03') {
					print('^C\r\n')
					line = ''
					prompt()
				} else if (char >= ' ') {
					line += char
					print(char)
				}
			}
			return true
		},
		onWritable() {},
		resize() {},
		detach: () => end({ kind: 'detached' }),
	}
}

/** Password three times at most, as a server would. */
export async function scriptedLogin(host: string, login: SshLoginUi, isChanged: boolean): Promise<string> {
	login.hostKey({
		op: 'host_key',
		id: 2,
		host,
		port: 22,
		key_type: 'ssh-ed25519',
		fingerprint: 'SHA256:Zq3pWcV0m1xT9dHn2yKfR5uB8sLgE4oJ7aQiX6tNvMk',
		state: isChanged ? 'changed' : 'new',
		...(isChanged ? { pinned_fingerprint: 'SHA256:bT4rKq9LmP2vXw8sZn5cJd1hFy7gUe3oAi6tRkQxNlE' } : {}),
	})
	if (isChanged)
		throw Object.assign(new Error('the host key has changed'), { code: 'reset', cause: { code: 'host_key_changed' } })
	const ask = (kind: 'username' | 'password', text: string, promptId: number, error?: string) =>
		login.answer({
			op: 'login_prompt',
			id: 2,
			prompt_id: promptId,
			kind,
			prompts: [{ text, echo: kind === 'username' }],
			methods: ['password', 'public_key'],
			...(error === undefined ? {} : { error }),
		})
	const name = await ask('username', 'User name', 1)
	let error: string | undefined
	for (let attempt = 2; attempt < 5; attempt++) {
		const answer = await ask('password', 'Password', attempt, error)
		if (answer === undefined || name === undefined) break
		if ('privateKey' in answer || answer.answers[0] === 'password') return 'answers' in name ? (name.answers[0] ?? 'ada') : 'ada'
		error = 'permission denied, please try again'
	}
	throw Object.assign(new Error('cancelled'), { code: 'cancelled' })
}

export const SESSION_REPLAY: string = [
	`${GREEN}ada@build-box${RESET}:${BLUE}~/gate${RESET}$ git log --oneline --graph -6`,
	'* \x1b[33m8f2c1d9\x1b[0m \x1b[33m(\x1b[1;36mHEAD -> \x1b[1;32mmain\x1b[33m, \x1b[1;31morigin/main\x1b[33m)\x1b[0m link: pace bulk by acks',
	'*   \x1b[33m41ab7e0\x1b[0m merge the parked-link budget',
	'\x1b[31m|\x1b[32m\\\x1b[0m  ',
	'\x1b[31m|\x1b[0m * \x1b[33mc0d53fa\x1b[0m agent: keep the slave open until the master is drained',
	'\x1b[31m|\x1b[32m/\x1b[0m  ',
	'* \x1b[33m7be9210\x1b[0m web: reattach terminals after a lost link',
	`${GREEN}ada@build-box${RESET}:${BLUE}~/gate${RESET}$ npm test`,
	'',
	' \x1b[32m✓\x1b[0m link/handshake.test.ts \x1b[2m(48 tests)\x1b[0m \x1b[32m 61ms\x1b[0m',
	' \x1b[32m✓\x1b[0m link/resume.model.test.ts \x1b[2m(12 tests)\x1b[0m \x1b[33m 2041ms\x1b[0m',
	' \x1b[32m✓\x1b[0m carrier/flow.test.ts \x1b[2m(31 tests)\x1b[0m \x1b[32m 118ms\x1b[0m',
	' \x1b[32m✓\x1b[0m agent/pty.test.ts \x1b[2m(17 tests)\x1b[0m \x1b[32m 402ms\x1b[0m',
	' \x1b[31m✗\x1b[0m relay/limits.test.ts \x1b[2m(9 tests | \x1b[31m1 failed\x1b[0;2m)\x1b[0m',
	'   \x1b[31m→ refuses the 51st hello of an address in a minute\x1b[0m',
	'',
	`${DIM} Test Files ${RESET} \x1b[31m1 failed\x1b[0m | \x1b[32m4 passed\x1b[0m (5)`,
	`${DIM}      Tests ${RESET} \x1b[31m1 failed\x1b[0m | \x1b[32m116 passed\x1b[0m (117)`,
	`${DIM}   Duration ${RESET} 3.42s`,
	'',
].join('\r\n')
