#!/usr/bin/env node
/** The `sally` command: the composition root of the command line. Everything but this is loaded when it is needed. */
import { VERSION } from './build-id.ts'

const argv = process.argv.slice(2)
const isVersion = argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')

if (isVersion) {
	process.stdout.write(`${VERSION}\n`)
} else {
	const { runProgram } = await import('./program.ts')
	const status = await runProgram(argv, process.env)
	process.exitCode = status
	// Sockets and terminals that are still open must not keep a command that is done; what was printed goes out first.
	process.stdout.write('', () => process.stderr.write('', () => process.exit(status)))
}
