import { Command, CommanderError } from 'commander'
import { VERSION } from './build-id.ts'
import { type Context, createContext, type GlobalOptions } from './context.ts'
import { CliError, EXIT } from './exit-codes.ts'
import { addAgentCommands } from './program-agent.ts'
import { addServerCommands } from './program-servers.ts'
import { showLines } from './text/plain.ts'

/** Does a command's work and gives the exit status. */
export type Act = (context: Context) => Promise<number>
/** Runs a command once its arguments are known, with the options that stand before it. */
export type Run = (command: Command, act: Act, failureStatus?: number) => Promise<void>

/** Parses and runs a command line; resolves with the exit status. */
export async function runProgram(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
	let status: number = EXIT.ok
	const run: Run = async (command, act, failureStatus) => {
		status = await perform(createContext(globalOptions(command), env), act, failureStatus)
	}
	const program = createProgram(run, env)
	try {
		await program.parseAsync([...argv], { from: 'user' })
		return status
	} catch (error) {
		if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
		return reportFailure(CliError.from(error), false)
	}
}

async function perform(context: Context, act: Act, failureStatus: number | undefined): Promise<number> {
	try {
		return await act(context)
	} catch (caught) {
		const error = CliError.from(caught)
		// What runs on the machine has statuses of its own: there, a failure of ours must be told from all of them.
		const isOurs = failureStatus !== undefined && error.status !== EXIT.usage && error.status !== 130
		return reportFailure(isOurs ? new CliError(failureStatus, error.message, { code: error.code }) : error, context.options.json)
	} finally {
		context.links.close()
	}
}

function reportFailure(error: CliError, isJson: boolean): number {
	const text = isJson
		? JSON.stringify({ error: { code: error.code, message: error.message } })
		: `sally: ${showLines(error.message)}`
	process.stderr.write(`${text}\n`)
	return error.status
}

function globalOptions(command: Command): GlobalOptions {
	const options = command.optsWithGlobals<{ profile: string; share?: boolean; json?: boolean; direct?: string }>()
	// The option may stand before or after the command's name.
	const share = options.share !== false && command.opts<{ share?: boolean }>().share !== false
	return {
		profile: options.profile,
		share,
		json: options.json ?? false,
		...(options.direct === undefined ? {} : { direct: options.direct }),
	}
}

function createProgram(run: Run, env: NodeJS.ProcessEnv): Command {
	const program = new Command('sally')
		.description('Reach your machines through a relay that you run and that cannot read what passes.')
		.version(VERSION, '-V, --version')
		.option('--profile <name>', 'which sign-in and keys to use', env['SALLY_PROFILE'] ?? 'default')
		.option('--no-share', 'open a link of its own instead of sharing one through the background process')
		.enablePositionalOptions()
		.showSuggestionAfterError()
		.exitOverride()
		.configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'sally: ')) })
		.addHelpText('after', '\nExit statuses and recipes for ssh, scp, rsync and git: docs/cli.md')
	addServerCommands(program, run)
	addAccountCommands(program, run)
	addMachineCommands(program, run)
	addStreamCommands(program, run)
	addAgentCommands(program, run)
	program
		.command('background', { hidden: true })
		.action((_options: unknown, command: Command) =>
			run(command, async (context) => (await import('./commands/background.ts')).background(context)),
		)
	return program
}

function addAccountCommands(program: Command, run: Run): void {
	program
		.command('login [url]')
		.description('sign in to a relay')
		.option('--email <address>', 'instead of being asked for it')
		.option('--password-stdin', 'read the password from standard input')
		.option('--token-stdin', 'read an access token from standard input (or set SALLY_TOKEN)')
		.option('--allow-http', 'take an http:// address that is not of this computer')
		.option('--json', 'print JSON')
		.action((url: string | undefined, options: object, command: Command) =>
			run(command, async (context) => (await import('./commands/login.ts')).login(context, url, options)),
		)
	program
		.command('logout')
		.description('sign out; keys and pairings stay')
		.action((_options: object, command: Command) =>
			run(command, async (context) => (await import('./commands/account.ts')).logout(context)),
		)
	program
		.command('whoami')
		.description('show account, relay and this device')
		.option('--json', 'print JSON')
		.action((_options: object, command: Command) =>
			run(command, async (context) => (await import('./commands/account.ts')).whoami(context)),
		)
}

function addMachineCommands(program: Command, run: Run): void {
	program
		.command('nodes')
		.description('list the machines')
		.option('--json', 'print JSON')
		.action((_options: object, command: Command) =>
			run(command, async (context) => (await import('./commands/nodes.ts')).nodes(context)),
		)
	program
		.command('add [name]')
		.description('show the line that adds a machine, and pair with it when it is there')
		.option('--json', 'print JSON')
		.action((name: string | undefined, _options: object, command: Command) =>
			run(command, async (context) => (await import('./commands/add.ts')).add(context, name)),
		)
	program
		.command('pair [node]')
		.description('ask a machine to let this computer in')
		.option(...DIRECT)
		.option('--invite', 'read an invite (of "sally agent invite") from standard input')
		.option('--yes', 'take the invite without a question')
		.option('--forget', 'drop the pairing with the machine')
		.option('--json', 'print JSON')
		.action((node: string | undefined, options: object, command: Command) =>
			run(command, async (context) => (await import('./commands/pair.ts')).pair(context, node, options)),
		)
	program
		.command('devices <node>')
		.description('list the devices that may enter a machine')
		.option('--json', 'print JSON')
		.action((node: string, _options: object, command: Command) =>
			run(command, async (context) => (await import('./commands/devices.ts')).devices(context, node)),
		)
	program
		.command('revoke <node> <session>')
		.description('bar a device from a machine, now')
		.action((node: string, session: string, _options: object, command: Command) =>
			run(command, async (context) => (await import('./commands/devices.ts')).revoke(context, node, session)),
		)
	program
		.command('terminals <node>')
		.description('list the terminals that run on a machine')
		.option('--end <id>', 'end one')
		.option('--json', 'print JSON')
		.action((node: string, options: object, command: Command) =>
			run(command, async (context) => (await import('./commands/terminals.ts')).terminals(context, node, options)),
		)
}

const DIRECT = ['--direct <address>', "go straight to the machine's own HOST:PORT, without the relay"] as const
const NO_SHARE = ['--no-share', 'open a link of its own'] as const

function addStreamCommands(program: Command, run: Run): void {
	program
		.command('shell <node>')
		.description('open a terminal; ~. leaves it running')
		.option(...NO_SHARE)
		.option(...DIRECT)
		.option('--attach [id]', 'come back to a terminal that runs already')
		.option('--name <name>', 'how the terminal is called')
		.action((node: string, options: { attach?: string | true; name?: string }, command: Command) =>
			run(command, async (context) => (await import('./commands/shell.ts')).shell(context, node, options), EXIT.transport),
		)
	program
		.command('exec <node> <command...>')
		.description('run one program: sally exec NODE -- CMD ARG…')
		.option(...NO_SHARE)
		.option(...DIRECT)
		.option('--cwd <folder>', 'where to run it')
		.option('--env <name=value...>', 'set a variable')
		.option('--no-stdin', 'give it no input')
		.passThroughOptions()
		.action((node: string, argv: string[], options: { cwd?: string; env?: string[]; stdin: boolean }, command: Command) =>
			run(
				command,
				async (context) => (await import('./commands/exec.ts')).exec(context, node, withoutDashes(argv), options),
				EXIT.transport,
			),
		)
	program
		.command('forward <node> <spec...>')
		.description('forward ports: [BIND:]PORT[:HOST:PORT]')
		.option(...NO_SHARE)
		.option(...DIRECT)
		.action((node: string, specs: string[], _options: object, command: Command) =>
			run(command, async (context) => (await import('./commands/forward.ts')).forward(context, node, specs)),
		)
	program
		.command('proxy <node> [target]')
		.description('carry standard input and output to HOST:PORT as seen from the machine; its sshd by default')
		.option(...NO_SHARE)
		.option(...DIRECT)
		.action((node: string, target: string | undefined, _options: object, command: Command) =>
			run(command, async (context) => (await import('./commands/proxy.ts')).proxy(context, node, target), EXIT.transport),
		)
	program
		.command('ssh <destination> [args...]')
		.description('run ssh over the link: sally ssh [USER@]NODE [ssh options] [command]')
		.allowUnknownOption()
		.passThroughOptions()
		.action((destination: string, args: string[], _options: object, command: Command) =>
			run(command, async (context) => (await import('./commands/ssh.ts')).ssh(context, destination, args), EXIT.transport),
		)
	program
		.command('ssh-config [node...]')
		.description('print blocks for ~/.ssh/config')
		.action((names: string[], _options: object, command: Command) =>
			run(command, async (context) => (await import('./commands/ssh.ts')).sshConfig(context, names)),
		)
}

/** `--` divides our words from the program's; commander hands it over with them. */
function withoutDashes(argv: readonly string[]): readonly string[] {
	return argv[0] === '--' ? argv.slice(1) : argv
}
