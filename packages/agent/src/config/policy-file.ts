import type { FSWatcher } from 'node:fs'
import { constants, watch } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { Logger } from '@sallyport/protocol'
import { AgentError, errorText, systemCode } from '../errors.ts'
import type { Policy } from './policy.ts'
import { DEFAULT_POLICY, parsePolicy } from './policy.ts'

/** The policy as it is now, reloaded when its file changes. A bad file leaves the last good one in force. */
export interface PolicyFile {
	readonly current: Policy
	/** True until a file is there. */
	readonly isDefault: boolean
	/** What is wrong with the file on disk, if it is not in force. */
	readonly problems: readonly string[]
	reload(): Promise<void>
	close(): void
}

const MAX_BYTES = 256 * 1024
const GROUP_OR_OTHERS_WRITE = 0o022

/**
 * Loads the policy.
 *
 * @throws {AgentError} `bad_policy` with every problem: an agent doesn't start under a policy that it can't read
 */
export async function openPolicyFile(path: string, log: Logger): Promise<PolicyFile> {
	const first = await load(path)
	if (first.problems.length > 0)
		throw new AgentError(
			'bad_policy',
			`the policy file ${path} has problems:\n${first.problems.map((problem) => `  ${problem}`).join('\n')}`,
		)
	let current = first.policy ?? DEFAULT_POLICY
	let isDefault = first.policy === undefined
	let problems: readonly string[] = []
	const reload = async (): Promise<void> => {
		const next = await load(path)
		problems = next.problems
		if (problems.length > 0) {
			log.error('policy file has problems; the last good policy stays in force', { path, problems: problems.join('; ') })
			return
		}
		current = next.policy ?? DEFAULT_POLICY
		isDefault = next.policy === undefined
		log.info('policy loaded', { path, isDefault })
	}
	const watcher = watchFile(path, () => void reload(), log)
	return {
		get current() {
			return current
		},
		get isDefault() {
			return isDefault
		},
		get problems() {
			return problems
		},
		reload,
		close: () => watcher?.close(),
	}
}

async function load(path: string): Promise<{ readonly policy?: Policy; readonly problems: readonly string[] }> {
	let text: string
	try {
		const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
		try {
			const stat = await file.stat()
			if (!stat.isFile()) return { problems: ['it is not a plain file'] }
			if (stat.size > MAX_BYTES) return { problems: [`it is larger than ${MAX_BYTES} bytes`] }
			// Whoever can write it decides who may reach what.
			if ((stat.mode & GROUP_OR_OTHERS_WRITE) !== 0) return { problems: [`other users can change it; run: chmod go-w '${path}'`] }
			const own = process.getuid?.()
			if (own !== undefined && stat.uid !== own && stat.uid !== 0)
				return { problems: [`it belongs to user ${stat.uid}, neither to root nor to who runs the agent`] }
			text = await file.readFile('utf8')
		} finally {
			await file.close()
		}
	} catch (error) {
		if (systemCode(error) === 'ENOENT') return { problems: [] }
		return { problems: [`it cannot be read (${systemCode(error) || errorText(error)})`] }
	}
	const parsed = parsePolicy(text)
	return parsed.ok ? { policy: parsed.policy, problems: [] } : { problems: parsed.problems }
}

/** Watches the folder: editors and config tools replace files rather than write into them. */
function watchFile(path: string, onChange: () => void, log: Logger): FSWatcher | undefined {
	try {
		const watcher = watch(dirname(path), { persistent: false }, (_event, name) => {
			if (name === basename(path)) onChange()
		})
		watcher.on('error', (error) =>
			log.warn('policy file is no longer watched; send SIGHUP after a change', { reason: errorText(error) }),
		)
		return watcher
	} catch (error) {
		log.warn('policy file cannot be watched; send SIGHUP after a change', { reason: errorText(error) })
		return undefined
	}
}
