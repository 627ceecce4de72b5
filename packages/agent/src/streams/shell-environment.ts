import { accessSync, constants, statSync } from 'node:fs'
import { hostname } from 'node:os'

/** A program and what it is started with. */
export interface ShellCommand {
	readonly file: string
	readonly args: readonly string[]
	readonly cwd: string
	readonly env: Readonly<Record<string, string>>
}

export interface Account {
	readonly username: string
	readonly homedir: string
	readonly shell: string | null
}

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const DEFAULT_TERM = 'xterm-256color'
const TERM_NAME = /^[A-Za-z0-9][A-Za-z0-9+._-]{0,63}$/
/** What a login would set too; everything else in the agent's environment is its own, secrets among it. */
const PASSED_ON = ['LANG', 'LC_ALL', 'LC_CTYPE', 'TZ', 'XDG_RUNTIME_DIR', 'DBUS_SESSION_BUS_ADDRESS', 'PATH'] as const
const LOGIN_SHELLS: ReadonlySet<string> = new Set(['sh', 'bash', 'dash', 'zsh', 'ksh', 'mksh', 'fish', 'ash'])

/** The own login shell of the user that the agent runs as, in a clean environment. */
export function loginShell(agentEnv: NodeJS.ProcessEnv, term: string | undefined, account: Account): ShellCommand {
	const file = usableShell(account.shell)
	const name = file.slice(file.lastIndexOf('/') + 1)
	return {
		file,
		args: LOGIN_SHELLS.has(name) ? ['-l'] : [],
		cwd: homeFolder(account),
		env: {
			...userEnvironment(agentEnv, account),
			TERM: term !== undefined && TERM_NAME.test(term) ? term : DEFAULT_TERM,
			COLORTERM: 'truecolor',
			TERM_PROGRAM: 'sallyport',
		},
	}
}

/** What every program of the user gets, with or without a terminal. */
export function userEnvironment(agentEnv: NodeJS.ProcessEnv, account: Account): Record<string, string> {
	const env: Record<string, string> = {}
	for (const name of PASSED_ON) {
		const value = agentEnv[name]
		if (value !== undefined && value !== '') env[name] = value
	}
	return {
		PATH: DEFAULT_PATH,
		LANG: 'C.UTF-8',
		...env,
		HOME: account.homedir,
		USER: account.username,
		LOGNAME: account.username,
		SHELL: usableShell(account.shell),
		SALLYPORT_HOST: hostname(),
	}
}

export function homeFolder(account: Account): string {
	try {
		if (statSync(account.homedir).isDirectory()) return account.homedir
	} catch {
		// A user without a home starts at the root, as a login would.
	}
	return '/'
}

function usableShell(shell: string | null): string {
	if (shell === null || !shell.startsWith('/')) return '/bin/sh'
	try {
		accessSync(shell, constants.X_OK)
		return shell
	} catch {
		// Named in the user database but not installed.
		return '/bin/sh'
	}
}
