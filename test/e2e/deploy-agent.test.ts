/** The agent as a program of its own: signing a machine in and out, its service, and a relay that comes and goes. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { ownerToken, setUp, signedIn, startInPty } from './cli-world.ts'
import {
	createHome,
	createSystemUser,
	freePort,
	type Home,
	isRoot,
	type Ran,
	type RelayProcess,
	runChild,
	sally,
	sallyPath,
	startAgent,
	startChild,
	startRelay,
	useScope,
	waitFor,
} from './harness/index.ts'

const scope = useScope()
let relay: RelayProcess
let relayHome: Home
let port: number
let pat: string

const RELAY_SETTINGS = { NEW_LINKS_PER_MINUTE: '1000', HELLOS_PER_MINUTE: '1000' }

beforeAll(async () => {
	port = await freePort()
	relayHome = createHome(scope, 'relay')
	relay = await startRelay(scope, relayHome, { ...RELAY_SETTINGS, PORT: String(port) })
	await setUp(relay.url, relay.setupSecret)
	pat = await makePat(['nodes:enrol'])
})

async function makePat(scopes: readonly string[]): Promise<string> {
	const answer = await fetch(`${relay.url}/api/tokens`, {
		method: 'POST',
		headers: { authorization: `Bearer ${await ownerToken(relay.url)}`, 'content-type': 'application/json' },
		body: JSON.stringify({ name: 'machines', scopes }),
	})
	const { token } = (await answer.json()) as { token: string }
	return token
}

async function revokedPat(): Promise<string> {
	const token = await makePat(['nodes:enrol'])
	const headers = { authorization: `Bearer ${token}` }
	const answer = await fetch(`${relay.url}/api/session`, { method: 'DELETE', headers })
	expect(answer.ok).toBe(true)
	return token
}

const loginArgs = (name: string, ...how: readonly string[]) => [
	'agent',
	'login',
	'--relay',
	relay.url,
	'--node-name',
	name,
	...how,
]
const status = async (home: Home): Promise<string> => (await sally(scope, home, ['agent', 'status'])).stdout
const untilStatus = (home: Home, pattern: RegExp, timeoutMs = 20_000) =>
	waitFor(
		`${pattern} in the agent's status`,
		async () => {
			const text = await status(home)
			return pattern.test(text) && text
		},
		timeoutMs,
	)

describe('sally agent login', () => {
	it('asks for the token on a terminal, without showing it', async () => {
		const home = createHome(scope, 'by-prompt')
		const login = startInPty(scope, home, loginArgs('by-prompt'))
		await login.waitForOutput(/Access token \(scope nodes:enrol\): /)
		login.write(`${pat}\r`)
		expect(await login.exited).toBe(0)
		expect(login.output()).toContain(`enrolled at ${relay.url} as by-prompt`)
		expect(login.output()).not.toContain(pat.slice(8))
	})

	it('reads the token from a file and from standard input', async () => {
		const file = join(scope.folder, 'pat')
		writeFileSync(file, `${pat}\n`, { mode: 0o600 })
		const byFile = createHome(scope, 'by-file')
		expect(await sally(scope, byFile, loginArgs('by-file', '--from-file', file))).toMatchObject({ status: 0, stdout: '' })
		const byStdin = createHome(scope, 'by-stdin')
		const ran = await sally(scope, byStdin, loginArgs('by-stdin', '--from-stdin'), { input: pat })
		expect(ran).toMatchObject({ status: 0, stderr: expect.stringContaining('as by-stdin') })
	})

	it.each([
		['a token without the scope', () => makePat(['nodes:read']), /nodes:enrol/],
		['half a token', async () => pat.slice(0, 40), /copy all of it/],
		['a token that was revoked', revokedPat, /token.*(revoked|not valid|expired|unknown|known)/],
	])('refuses %s with the reason, and stays out', async (_what, make, reason) => {
		const home = createHome(scope, `refused-${Math.trunc(performance.now())}`)
		const ran = await sally(scope, home, loginArgs('refused', '--from-stdin'), { input: await make() })
		expect(ran.status).not.toBe(0)
		expect(ran.stderr).toMatch(reason)
		expect(ran.stderr).toMatch(/^sally: .+\n$/)
	})

	it('says in one sentence that no relay answers', async () => {
		const home = createHome(scope, 'nobody')
		const nobody = `http://127.0.0.1:${await freePort()}`
		const ran = await sally(scope, home, ['agent', 'login', '--relay', nobody, '--from-stdin'], { input: pat })
		expect(ran.status).not.toBe(0)
		expect(ran.stderr).toMatch(new RegExp(`^sally: .*${nobody}.*\n$`))
	})
})

describe('an agent that runs', () => {
	const home = createHome(scope, 'running')
	let laptop: Home

	beforeAll(async () => {
		const enrolled = await sally(scope, home, loginArgs('running', '--from-stdin'), { input: pat })
		if (enrolled.status !== 0) throw new Error(enrolled.stderr)
		startAgent(scope, home)
		await untilStatus(home, /connected for/)
		laptop = await signedIn(scope, relay.url)
	})

	const onLaptop = (args: readonly string[], input?: string): Promise<Ran> =>
		sally(scope, laptop, args, input === undefined ? {} : { input })

	it('tells addresses, relay, latency and who is connected', async () => {
		const invite = await sally(scope, home, ['agent', 'invite'])
		const paired = await onLaptop(['pair', '--invite', '--yes'], invite.stdout.trim())
		expect(paired).toMatchObject({ status: 0 })
		expect(await onLaptop(['exec', 'running', '--', 'echo', 'in'])).toMatchObject({ status: 0, stdout: 'in\n' })
		const text = await untilStatus(home, /connected for .*, \d+ ms/, 45_000)
		expect(text).toContain(`relay: ${relay.url}`)
		expect(text).toMatch(/own address: 127\.0\.0\.1:\d+/)
		expect(text).toMatch(/address as the relay sees it: 127\.0\.0\.1/)
		expect(text).toMatch(/devices paired: 1\n {2}\S+ of ada, relay from 127\.0\.0\.1/)
	})

	it('lists its device sessions and revokes one by its id, at once', async () => {
		const listed = await sally(scope, home, ['agent', 'sessions', '--json'])
		const sessions = JSON.parse(listed.stdout) as { session_id: string }[]
		expect(sessions).toHaveLength(1)
		expect(await sally(scope, home, ['agent', 'revoke', sessions[0]?.session_id ?? ''])).toMatchObject({ status: 0 })
		expect(await onLaptop(['exec', 'running', '--', 'true'])).toMatchObject({ status: 255 })
		expect(JSON.parse((await sally(scope, home, ['agent', 'sessions', '--json'])).stdout)).toEqual([])
	})

	it('says what it waits for when the relay is killed, and comes back by itself', async () => {
		relay.child.kill('SIGKILL')
		await relay.child.exited
		const text = await untilStatus(home, /not connected: .+; next try in/)
		expect(text).toMatch(/not connected: .*(refused|lost|reach)/)
		const startedMs = performance.now()
		relay = await startRelay(scope, relayHome, { ...RELAY_SETTINGS, PORT: String(port) })
		await untilStatus(home, /connected for/, 40_000)
		console.info(`the agent was back ${Math.round(performance.now() - startedMs)} ms after the relay was started again`)
		expect((await onLaptop(['nodes'])).stdout).toMatch(/running +online/)
	})

	it('leaves the relay by logout, and goes on running', async () => {
		expect(await sally(scope, home, ['agent', 'logout'])).toMatchObject({ status: 0 })
		expect(await untilStatus(home, /relay: none/)).toContain('run sally agent join or sally agent login')
		await waitFor('the relay to see it go', async () => /running +offline/.test((await onLaptop(['nodes'])).stdout))
	})
})

describe('sally agent install', () => {
	/** The unit as the command writes it, in a view of the system's folders that only the command has. */
	async function installSystemUnit(home: Home, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
		const units = join(scope.folder, `units-${Math.trunc(performance.now())}`)
		mkdirSync(units)
		const script = `mount --bind "${units}" /etc/systemd/system && exec "$0" "$@"`
		const command = [process.execPath, sallyPath(), 'agent', 'install', '--system', '--no-start', ...args]
		const ran = await runChild(scope, 'unshare', ['-m', 'sh', '-c', script, ...command], { env: { ...home.env, ...env } })
		return { ran, units, unit: join(units, 'sally-agent.service') }
	}

	it.runIf(isRoot())('writes a unit that systemd accepts, that restarts, and that is started at boot', async () => {
		const home = createHome(scope, 'service')
		const { ran, units, unit } = await installSystemUnit(home, [])
		expect(ran).toMatchObject({ status: 0 })
		const verified = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' })
		expect({ status: verified.status, output: verified.stderr }).toEqual({ status: 0, output: '' })
		const text = readFileSync(unit, 'utf8')
		expect(text).toMatch(/^Restart=always$/m)
		expect(text).toMatch(/^StartLimitIntervalSec=0$/m)
		// What `systemctl enable` does on a machine whose systemd isn't running: the link that the next boot follows.
		const root = join(scope.folder, 'root')
		mkdirSync(join(root, 'etc/systemd'), { recursive: true })
		symlinkSync(units, join(root, 'etc/systemd/system'))
		const enabled = spawnSync('systemctl', [`--root=${root}`, 'enable', 'sally-agent.service'], { encoding: 'utf8' })
		expect(enabled.stderr).toContain('multi-user.target.wants')
	})

	it.runIf(isRoot())('starts by its own line, in the folder that the machine joined with', async () => {
		const user = createSystemUser(scope)
		const home = createHome(scope, 'sudo')
		const { unit } = await installSystemUnit(home, [], { SUDO_USER: user.name })
		const text = readFileSync(unit, 'utf8')
		expect(text).toContain(`User=${user.name}\n`)
		expect(text).toContain(`"DATA_DIR=${user.home}/.local/state/sallyport/agent"`)
		const line = /^ExecStart=(.+)$/m.exec(text)?.[1] ?? ''
		const env = { ...createHome(scope, 'by-unit').env, PORT: '0', DATA_DIR: join(user.home, '.local/state/sallyport/agent') }
		const started = startChild(
			scope,
			'setpriv',
			['--reuid', user.name, '--regid', user.name, '--init-groups', 'sh', '-c', `exec ${line}`],
			{ name: 'the unit’s line', env },
		)
		await started.waitForOutput(/"message":"agent started"/)
	})

	it('refuses a user that is not there, and --user without --system', async () => {
		const home = createHome(scope, 'nobody-there')
		const absent = await sally(scope, home, ['agent', 'install', '--system', '--no-start', '--user', 'sly-is-not-here'])
		expect(absent).toMatchObject({ status: 2, stderr: 'sally: there is no user sly-is-not-here here\n' })
		const alone = await sally(scope, home, ['agent', 'install', '--no-start', '--user', 'root'])
		expect(alone).toMatchObject({ status: 2, stderr: 'sally: --user goes with --system\n' })
	})
})
