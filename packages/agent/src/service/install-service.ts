import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { AgentError, errorText, systemCode } from '../errors.ts'
import type { UnitOptions } from './unit.ts'
import { UNIT_NAME, unitText } from './unit.ts'

export interface InstallOptions extends UnitOptions {
	/** Where units live. @default the place systemd reads for that scope */
	readonly unitFolder?: string
	/** Enables and starts it as well. @default true */
	readonly isStarted?: boolean
}

export interface InstalledService {
	readonly path: string
	/** Whether `systemd-analyze verify` read the unit without complaint; undefined where that program isn't there. */
	readonly isVerified: boolean | undefined
	readonly isStarted: boolean
	/** What to do yet, in words; empty when all is done. */
	readonly nextSteps: readonly string[]
}

/**
 * Makes the agent a systemd service, so that it survives a reboot. Writes the unit after it was checked.
 *
 * @throws {AgentError} `service_failed`
 */
export async function installService(options: InstallOptions): Promise<InstalledService> {
	const folder = options.unitFolder ?? unitFolder(options.scope.kind)
	const path = join(folder, UNIT_NAME)
	const text = unitText(options)
	const isVerified = await verifyUnit(text, options.scope.kind)
	await writeUnit(path, text)
	if (options.isStarted === false) return { path, isVerified, isStarted: false, nextSteps: startSteps(options) }
	const problem = await startUnit(options.scope.kind)
	if (problem !== undefined) return { path, isVerified, isStarted: false, nextSteps: [problem, ...startSteps(options)] }
	return { path, isVerified, isStarted: true, nextSteps: lingerSteps(options) }
}

/** Stops the service and removes its unit; false when there was none. */
export async function uninstallService(options: {
	readonly scope: UnitOptions['scope']['kind']
	readonly unitFolder?: string
}): Promise<boolean> {
	const path = join(options.unitFolder ?? unitFolder(options.scope), UNIT_NAME)
	await systemctl(options.scope, ['disable', '--now', UNIT_NAME])
	try {
		await rm(path)
	} catch (error) {
		if (systemCode(error) === 'ENOENT') return false
		throw failed(path, error)
	}
	await systemctl(options.scope, ['daemon-reload'])
	return true
}

function unitFolder(scope: UnitOptions['scope']['kind']): string {
	if (scope === 'system') return '/etc/systemd/system'
	return join(process.env.XDG_CONFIG_HOME ?? join(homedir(), '.config'), 'systemd', 'user')
}

async function verifyUnit(text: string, scope: UnitOptions['scope']['kind']): Promise<boolean | undefined> {
	const folder = await mkdtemp(join(tmpdir(), 'sally-unit-'))
	try {
		const path = join(folder, UNIT_NAME)
		await writeFile(path, text)
		const result = await run('systemd-analyze', [`--${scope}`, 'verify', '--man=no', path])
		if (result.code === 'ENOENT') return undefined
		const complaints = result.output.split('\n').filter((line) => line.includes(UNIT_NAME))
		if (complaints.length > 0)
			throw new AgentError('service_failed', `systemd does not accept the unit:\n${complaints.join('\n')}`)
		// Some containers have the program but no user manager to ask: no complaint about the unit, but no verdict either.
		return result.code === 0 ? true : undefined
	} finally {
		await rm(folder, { recursive: true, force: true })
	}
}

async function writeUnit(path: string, text: string): Promise<void> {
	try {
		await mkdir(dirname(path), { recursive: true })
		await writeFile(`${path}.new`, text, { mode: 0o644 })
		await rename(`${path}.new`, path)
	} catch (error) {
		throw failed(path, error)
	}
}

async function startUnit(scope: UnitOptions['scope']['kind']): Promise<string | undefined> {
	for (const command of [['daemon-reload'], ['enable', '--now', UNIT_NAME]]) {
		const result = await systemctl(scope, command)
		if (result.code !== 0) return `systemd did not start it (${result.output.trim().split('\n')[0] ?? result.code})`
	}
	return undefined
}

function startSteps(options: InstallOptions): readonly string[] {
	const user = options.scope.kind === 'user' ? '--user ' : ''
	return [`systemctl ${user}daemon-reload`, `systemctl ${user}enable --now ${UNIT_NAME}`, ...lingerSteps(options)]
}

/** A user's services start at boot only for users who linger. */
function lingerSteps(options: InstallOptions): readonly string[] {
	return options.scope.kind === 'user' ? ['loginctl enable-linger (so that it runs before you sign in)'] : []
}

function systemctl(scope: UnitOptions['scope']['kind'], args: readonly string[]): Promise<RunResult> {
	return run('systemctl', scope === 'user' ? ['--user', ...args] : args)
}

interface RunResult {
	readonly code: number | string
	readonly output: string
}

function run(file: string, args: readonly string[]): Promise<RunResult> {
	return new Promise((resolve) => {
		execFile(file, [...args], { timeout: 30_000, env: { ...process.env, LC_ALL: 'C' } }, (error, stdout, stderr) => {
			resolve({ code: error === null ? 0 : (error.code ?? 'signal'), output: `${stdout}${stderr}` })
		})
	})
}

function failed(path: string, error: unknown): AgentError {
	const hint =
		systemCode(error) === 'EACCES' ? ': run it as root, or install it for your user alone with --user' : ` (${errorText(error)})`
	return new AgentError('service_failed', `the unit ${path} cannot be changed${hint}`, { cause: error })
}
