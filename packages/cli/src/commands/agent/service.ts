import { installService, uninstallService } from '@sallyport/agent'
import { scriptPath } from '../../build-id.ts'
import type { Context } from '../../context.ts'
import { CliError, EXIT } from '../../exit-codes.ts'
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
	const { config, control } = await agentHandle(context, flags)
	if (options.isStarted && (await control.isRunning())) {
		throw new CliError(EXIT.failed, 'an agent runs here already: end it first (Ctrl+C, or sally agent stop), then install')
	}
	const user = options.user ?? context.env['SUDO_USER'] ?? 'root'
	const installed = await installService({
		scope: options.isSystem ? { kind: 'system', user } : { kind: 'user' },
		command: [process.execPath, scriptPath(), 'agent', 'start'],
		dataDir: config.dataDir,
		isStarted: options.isStarted,
		...(options.environmentFile === undefined ? {} : { environmentFile: options.environmentFile }),
	})
	context.say(`wrote ${installed.path}${installed.isVerified === true ? ', and systemd accepts it' : ''}`)
	if (installed.isStarted) context.say('the agent runs now, and from now on after each start of this machine')
	for (const step of installed.nextSteps) context.say(step)
	return installed.isStarted || !options.isStarted ? EXIT.ok : EXIT.failed
}

/** `sally agent uninstall` */
export async function uninstall(context: Context, isSystem: boolean): Promise<number> {
	const was = await uninstallService({ scope: isSystem ? 'system' : 'user' })
	context.say(was ? 'the service is gone; keys and pairings stay in the data folder' : 'there was no service')
	return EXIT.ok
}
