import type { Command } from 'commander'
import type { Run } from './program.ts'

/** Settings that may stand on the command line; secrets may not, since others can read it. */
export const RELAY_FLAGS: readonly (readonly [string, string])[] = [
	['host <address>', 'address to listen on'],
	['port <number>', 'port to listen on; 0 takes any'],
	['app-mode <mode>', 'development or production'],
	['public-url <url>', 'the address that people type'],
	['tls-cert <file>', 'certificate, PEM'],
	['tls-key <file>', 'its private key, PEM'],
	['ip-source <source>', 'ConnectInfo, XForwardedFor or Forwarded'],
	['trusted-proxies <list>', 'proxies whose forwarded headers are believed'],
	['access-control-allow-origin <list>', 'origins whose pages may connect'],
	['data-dir <folder>', 'where data are kept'],
	['log-level <level>', 'error, warn, info, debug or trace'],
]

export function addServerCommands(program: Command, run: Run): void {
	const up = program
		.command('up')
		.description('run relay and agent together, for one machine to start with')
		.option('--config <file>', 'settings file, JSON')
	addFlags(up, RELAY_FLAGS)
		.option('--agent-host <address>', "the agent's own address")
		.option('--agent-port <number>', "the agent's own port")
		.action((options: Record<string, string | undefined>, command: Command) =>
			run(command, async (context) => (await import('./commands/up.ts')).up(context, serverFlags(options))),
		)
	const relay = program
		.command('relay')
		.description('run a relay')
		.option('--config <file>', 'settings file, JSON')
		.option('--print-config', 'show the settings in force, without secrets, and end')
	addFlags(relay, RELAY_FLAGS).action((options: Record<string, string | undefined>, command: Command) =>
		run(command, async (context) => (await import('./commands/relay.ts')).relay(context, serverFlags(options))),
	)
}

export function addFlags(command: Command, flags: readonly (readonly [string, string])[]): Command {
	for (const [flag, description] of flags) command.option(`--${flag}`, description)
	return command
}

/** Commander's camel case back to the names of settings. */
export function serverFlags(options: Readonly<Record<string, string | boolean | undefined>>) {
	const settings: Record<string, string> = {}
	for (const [name, value] of Object.entries(options)) {
		if (name === 'config' || typeof value !== 'string') continue
		settings[name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)] = value
	}
	return {
		settings,
		...(typeof options['config'] === 'string' ? { config: options['config'] } : {}),
		...(options['printConfig'] === true ? { printConfig: true } : {}),
	}
}
