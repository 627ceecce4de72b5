import { type Command, InvalidArgumentError } from 'commander'
import type { ServerFlags } from './commands/relay.ts'
import type { Context } from './context.ts'
import type { Run } from './program.ts'
import { addFlags, serverFlags } from './program-servers.ts'

const AGENT_FLAGS: readonly (readonly [string, string])[] = [
	['host <address>', "the agent's own address"],
	['port <number>', "the agent's own port; 0 takes any"],
	['ssh-host <host>', 'the sshd that SSH logins go to'],
	['ssh-port <number>', 'its port'],
	['node-name <name>', 'name to enrol under'],
	['relay-ca <file>', 'certificate authority of the relay, PEM'],
	['policy-file <file>', 'what devices may do here'],
	['log-level <level>', 'error, warn, info or debug'],
]

type Raw = Readonly<Record<string, string | boolean | undefined>>
type AgentAct = (context: Context, flags: ServerFlags) => Promise<number>

export function addAgentCommands(program: Command, run: Run): void {
	const agent = program.command('agent').description('the program that lets devices into this machine')
	const add = (name: string, description: string): Command =>
		agent
			.command(name)
			.description(description)
			.option('--config <file>', 'settings file, JSON')
			.option('--data-dir <folder>', "the agent's folder")
	const act = (options: Raw, command: Command, work: AgentAct): Promise<void> =>
		run(command, (context) => work(context, serverFlags(options)))
	addLifeCommands(add, act)
	addMembershipCommands(add, act)
	addDoorCommands(add, act)
}

type Add = (name: string, description: string) => Command
type Perform = (options: Raw, command: Command, work: AgentAct) => Promise<void>

function addLifeCommands(add: Add, act: Perform): void {
	addFlags(add('start', 'run the agent in the foreground'), AGENT_FLAGS).action((options: Raw, command: Command) =>
		act(options, command, async (context, flags) => (await import('./commands/agent/status.ts')).start(context, flags)),
	)
	add('stop', 'end the agent that runs').action((options: Raw, command: Command) =>
		act(options, command, async (context, flags) => (await import('./commands/agent/status.ts')).stop(context, flags)),
	)
	add('status', 'show relay, addresses, and who is connected')
		.option('--json', 'print JSON')
		.action((options: Raw, command: Command) =>
			act(options, command, async (context, flags) => (await import('./commands/agent/status.ts')).status(context, flags)),
		)
	add('install', 'make the agent a systemd service, so that it survives a reboot')
		.option('--system', 'for the whole system instead of this user (needs root)')
		.option('--user <name>', 'whom a system service runs as')
		.option('--environment-file <file>', 'NAME=value lines with more settings')
		.option('--no-start', 'write the unit only')
		.action((options: Raw, command: Command) =>
			act(options, command, async (context, flags) => {
				const user = text(options['user'])
				const environmentFile = text(options['environmentFile'])
				return (await import('./commands/agent/service.ts')).install(context, flags, {
					isSystem: options['system'] === true,
					isStarted: options['start'] !== false,
					...(user === undefined ? {} : { user }),
					...(environmentFile === undefined ? {} : { environmentFile }),
				})
			}),
		)
	add('uninstall', 'stop the service and remove it')
		.option('--system', 'the one of the whole system')
		.action((options: Raw, command: Command) =>
			act(options, command, async (context) =>
				(await import('./commands/agent/service.ts')).uninstall(context, options['system'] === true),
			),
		)
	add('reload', 'read the policy file again').action((options: Raw, command: Command) =>
		act(options, command, async (context, flags) => (await import('./commands/agent/status.ts')).reload(context, flags)),
	)
}

function addMembershipCommands(add: Add, act: Perform): void {
	addFlags(add('join [text]', 'enrol this machine by the line that the page or "sally add" shows'), AGENT_FLAGS)
		.option('--from-file <file>', 'read the text from a file')
		.option('--from-stdin', 'read the text from standard input')
		.option('--yes', 'do not ask who gains access')
		.option('--no-start', 'enrol only')
		.action((text: string | undefined, options: Raw, command: Command) =>
			act(options, command, async (context, flags) =>
				(await import('./commands/agent/membership.ts')).join(context, flags, text, {
					start: options['start'] !== false,
					yes: options['yes'] === true,
					fromStdin: options['fromStdin'] === true,
					...(typeof options['fromFile'] === 'string' ? { fromFile: options['fromFile'] } : {}),
				}),
			),
		)
	addFlags(add('login', 'enrol this machine by an access token with the scope nodes:enrol'), AGENT_FLAGS)
		.option('--relay <url>', 'the relay to enrol at')
		.option('--from-file <file>', 'read the token from a file')
		.option('--from-stdin', 'read the token from standard input')
		.action((options: Raw, command: Command) =>
			act(options, command, async (context, flags) =>
				(await import('./commands/agent/membership.ts')).login(context, flags, {
					fromStdin: options['fromStdin'] === true,
					...(typeof options['relay'] === 'string' ? { relay: options['relay'] } : {}),
					...(typeof options['fromFile'] === 'string' ? { fromFile: options['fromFile'] } : {}),
				}),
			),
		)
	add('logout', 'leave the relay; pairings stay').action((options: Raw, command: Command) =>
		act(options, command, async (context, flags) => (await import('./commands/agent/membership.ts')).logout(context, flags)),
	)
}

function addDoorCommands(add: Add, act: Perform): void {
	const doors = () => import('./commands/agent/doors.ts')
	const may = ['--may <list>', 'shell, exec, files, forward, record, approve'] as const
	add('approve [digits]', 'let in the device that asks, if it shows these six digits')
		.option(...may)
		.option('--yes', 'do not ask again')
		.action((digits: string | undefined, options: Raw, command: Command) =>
			act(options, command, async (context, flags) => {
				const allowed = text(options['may'])
				return (await doors()).approve(context, flags, digits, {
					yes: options['yes'] === true,
					...(allowed === undefined ? {} : { may: allowed }),
				})
			}),
		)
	add('deny', 'turn away the device that asks').action((options: Raw, command: Command) =>
		act(options, command, async (context, flags) => (await doors()).deny(context, flags)),
	)
	add('pair', "let devices ask on this machine's own address for some minutes")
		.option('--minutes <number>', 'how long', wholeNumber(1, 60), 10)
		.action((options: Raw & { minutes: number }, command: Command) =>
			act(withoutNumbers(options), command, async (context, flags) => (await doors()).pair(context, flags, options.minutes)),
		)
	add('invite', 'make a one-use link that lets its opener in')
		.option('--minutes <number>', 'how long it works', wholeNumber(1, 1440))
		.option(...may)
		.option('--json', 'print JSON')
		.action((options: Raw & { minutes?: number }, command: Command) =>
			act(withoutNumbers(options), command, async (context, flags) => {
				const allowed = text(options['may'])
				return (await doors()).invite(context, flags, {
					...(options.minutes === undefined ? {} : { minutes: options.minutes }),
					...(allowed === undefined ? {} : { may: allowed }),
				})
			}),
		)
	add('sessions', 'list the devices that may enter')
		.option('--json', 'print JSON')
		.action((options: Raw, command: Command) =>
			act(options, command, async (context, flags) => (await doors()).sessions(context, flags)),
		)
	add('revoke [session]', 'bar a device, now')
		.option('--all', 'bar every device')
		.action((session: string | undefined, options: Raw, command: Command) =>
			act(options, command, async (context, flags) => (await doors()).revoke(context, flags, session, options['all'] === true)),
		)
	add('lift', 'let in again whom the relay had barred here').action((options: Raw, command: Command) =>
		act(options, command, async (context, flags) => (await doors()).lift(context, flags)),
	)
	add('forget-host <host[:port]>', 'forget the pinned key of an SSH server that was set up anew').action(
		(host: string, options: Raw, command: Command) =>
			act(options, command, async (context, flags) => (await doors()).forgetHost(context, flags, host)),
	)
}

function text(value: string | boolean | undefined): string | undefined {
	return typeof value === 'string' ? value : undefined
}

function withoutNumbers(options: object): Raw {
	return Object.fromEntries(Object.entries(options).filter(([, value]) => typeof value !== 'number'))
}

function wholeNumber(min: number, max: number): (text: string) => number {
	return (text) => {
		const number = Number(text)
		if (/^\d+$/.test(text) && number >= min && number <= max) return number
		throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`)
	}
}
