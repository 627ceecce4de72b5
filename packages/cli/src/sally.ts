#!/usr/bin/env node
/** The `sally` command: the composition root of the command line. Everything but this is loaded when it is needed. */
import { VERSION } from './build-id.ts'
import { tuneCollector } from './collector.ts'

const argv = process.argv.slice(2)
const isVersion = argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')

// A join text in the arguments works once, and others of this machine could read it there meanwhile.
if (argv.some((word) => word.includes('sly_join_v1'))) process.title = 'sally agent join'

if (isVersion) {
	process.stdout.write(`${VERSION}\n`)
} else {
	tuneCollector()
	const { runProgram } = await import('./program.ts')
	// Timers of the libraries don't hold a process: this one does, until the command is done.
	const alive = setInterval(() => undefined, 2 ** 30)
	const status = await runProgram(argv, process.env)
	clearInterval(alive)
	process.exitCode = status
	// Sockets and terminals that are still open must not keep a command that is done; what was printed goes out first.
	process.stdout.write('', () => process.stderr.write('', () => process.exit(status)))
}
