import { createLinks, type Links } from './background/ask.ts'
import { type ProfilePaths, profilePaths } from './profile/paths.ts'
import type { Profile } from './profile/profile.ts'
import { showLines } from './text/plain.ts'

export interface GlobalOptions {
	readonly profile: string
	/** False after `--no-share`. */
	readonly share: boolean
	readonly json: boolean
	/** `--direct`: a machine's own address, to go there without the relay. */
	readonly direct?: string
}

/** What every command works with. */
export interface Context {
	readonly options: GlobalOptions
	readonly env: NodeJS.ProcessEnv
	readonly paths: ProfilePaths
	readonly openProfile: () => Promise<Profile>
	readonly links: Links
	/** To people, on stderr: stdout is for data. */
	readonly say: (line: string) => void
	/** Data, on stdout. */
	readonly print: (text: string) => void
	/** Data as one JSON value, on stdout. */
	readonly printJson: (value: unknown) => void
}

export function createContext(options: GlobalOptions, env: NodeJS.ProcessEnv): Context {
	const paths = profilePaths(options.profile, env)
	let opened: Promise<Profile> | undefined
	const openProfile = (): Promise<Profile> => {
		opened ??= import('./profile/profile.ts').then((module) => module.openProfile(options.profile, env))
		return opened
	}
	const say = (line: string): void => void process.stderr.write(`${showLines(line)}\n`)
	const print = (text: string): void => void process.stdout.write(`${text}\n`)
	return {
		options,
		env,
		paths,
		openProfile,
		links: createLinks({
			paths,
			openProfile,
			isShared: options.share,
			say,
			...(options.direct === undefined ? {} : { direct: options.direct }),
		}),
		say,
		print,
		printJson: (value) => print(JSON.stringify(value, undefined, '\t')),
	}
}
