import { execFile } from 'node:child_process'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { installService, uninstallService } from '@sallyport/agent'
import { BULK_FLAGS, scriptPath } from '../../build-id.ts'
import type { Context } from '../../context.ts'
import { CliError, EXIT } from '../../exit-codes.ts'
import { showText } from '../../text/plain.ts'
import type { ServerFlags } from '../relay.ts'
import { agentHandle } from './running.ts'

export interface InstallServiceOptions {
	readonly isSystem: boolean
	readonly isStarted: boolean
	readonly user?: string
	readonly environmentFile?: string
}

/** `sally agent install` */
export async function install(context: Context, flags: ServerFlags, options: InstallServiceOptions): Promise<number> {
	if (options.user !== undefined && !options.isSystem) throw new CliError(EXIT.usage, '--user goes with --system')
	const user = options.user ?? context.env['SUDO_USER'] ?? 'root'
	const own = options.isSystem ? await inFolderOf(user, context, flags) : flags
	const { config, control } = await agentHandle(context, own)
	if (options.isStarted && (await control.isRunning())) {
		throw new CliError(EXIT.failed, 'an agent runs here already: end it first (Ctrl+C, or sally agent stop), then install')
	}
	const installed = await installService({
		scope: options.isSystem ? { kind: 'system', user } : { kind: 'user' },
		command: [process.execPath, ...BULK_FLAGS, scriptPath(), 'agent', 'start'],
		dataDir: config.dataDir,
		isStarted: options.isStarted,
		...(options.environmentFile === undefined ? {} : { environmentFile: options.environmentFile }),
	})
	context.say(`wrote ${installed.path}${installed.isVerified === true ? ', and systemd accepts it' : ''}`)
	if (installed.isStarted) context.say('the agent runs now, and from now on after each start of this machine')
	for (const step of installed.nextSteps) context.say(step)
	return installed.isStarted || !options.isStarted ? EXIT.ok : EXIT.failed
}

/** A service that runs as somebody else keeps its data where that user's own agent does, not in root's home. */
async function inFolderOf(user: string, context: Context, flags: ServerFlags): Promise<ServerFlags> {
	const isNamed = flags.settings['data-dir'] !== undefined || Boolean(context.env['DATA_DIR']) || flags.config !== undefined
	if (isNamed || user === userInfo().username) return flags
	const home = await homeOf(user)
	return { ...flags, settings: { ...flags.settings, 'data-dir': join(home, '.local', 'state', 'sallyport', 'agent') } }
}

async function homeOf(user: string): Promise<string> {
	const passwd = await promisify(execFile)('getent', ['passwd', '--', user]).catch(() => undefined)
	const home = passwd?.stdout.split(':')[5]
	if (home === undefined) throw new CliError(EXIT.usage, `there is no user ${showText(user)} here`)
	return home
}

/** `sally agent uninstall` */
export async function uninstall(context: Context, isSystem: boolean): Promise<number> {
	const was = await uninstallService({ scope: isSystem ? 'system' : 'user' })
	context.say(was ? 'the service is gone; keys and pairings stay in the data folder' : 'there was no service')
	return EXIT.ok
}
