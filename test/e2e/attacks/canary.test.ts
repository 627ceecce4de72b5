/** Known secrets go through a whole flow at the most talkative log level; then they are looked for where they must not be. */
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseInvite, parseJoinBundle } from '@sallyport/protocol'
import { beforeAll, describe, expect, it } from 'vitest'
import { createHome, type Ran, sally, startSally, useScope, waitFor } from '../harness/index.ts'
import { type Processes, startProcesses } from './processes.ts'
import { ACCOUNT } from './stand.ts'

const scope = useScope()
const canary = (name: string) => `canary-${name}-${randomBytes(9).toString('hex')}`
const TYPED = canary('typed')
const PIPED = canary('piped')
const secrets = new Map<string, string>([
	['the password', ACCOUNT.password],
	['what was typed into a terminal', TYPED],
	['what went through a program', PIPED],
])
const commandLines = new Set<string>()
const outputs: Ran[] = []
let world: Processes
let laptopFolder = ''

/** Every command line of this machine, as anyone on it could read them meanwhile. */
function lookAround(): void {
	for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
		try {
			commandLines.add(readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' '))
		} catch {
			// It has ended since.
		}
	}
}

beforeAll(async () => {
	const timer = setInterval(lookAround, 10)
	scope.defer(() => clearInterval(timer))
	world = await startProcesses(scope, { LOG_LEVEL: 'debug' })
	secrets.set('the access token', world.token)
	const laptop = createHome(scope, 'laptop')
	laptopFolder = laptop.folder
	const run = async (args: readonly string[], input: string): Promise<Ran> => {
		const ran = await sally(scope, laptop, args, { input })
		outputs.push(ran)
		return ran
	}
	expect((await run(['login', world.origin, '--email', ACCOUNT.email, '--password-stdin'], ACCOUNT.password)).status).toBe(0)
	const invite = (await world.control.ask({ op: 'invite' })).text
	const read = parseInvite(invite)
	if (!read.ok) throw new Error(read.error.detail)
	secrets.set('the invite', invite)
	secrets.set('the secret of the invite', Buffer.from(read.value.secret).toString('base64url'))
	expect((await run(['pair', '--invite', '--yes'], invite)).status).toBe(0)
	const echoed = await sally(scope, laptop, ['exec', '--no-share', 'box', '--', 'cat'], { input: PIPED })
	expect(echoed).toMatchObject({ status: 0, stdout: PIPED })

	const client = await world.client('typist')
	const terminal = await (await client.connect(world.nodeId)).openTerminal({ cols: 80, rows: 24 })
	let screen = ''
	terminal.onOutput((bytes, done) => {
		screen += Buffer.from(bytes).toString('latin1')
		done()
	})
	terminal.write(Buffer.from(`: ${TYPED}\r`))
	await waitFor('the echo', () => screen.includes(TYPED))

	// A join, once well and once again; a token that is none; a password that is wrong.
	const offer = await client.createJoin({ name: 'second', user: 'ann' })
	const text = offer.command.replace('sally agent join ', '')
	const bundle = parseJoinBundle(text)
	if (!bundle.ok) throw new Error(bundle.error.detail)
	secrets.set('the join text', text)
	secrets.set('the enrol token', bundle.value.enrolToken)
	secrets.set('the secret of the join', Buffer.from(bundle.value.secret).toString('base64url'))
	const second = createHome(scope, 'second')
	const env = { DATA_DIR: join(second.folder, 'agent-data'), PORT: '0', NODE_NAME: 'second', LOG_LEVEL: 'debug' }
	const joining = startSally(scope, second, ['agent', 'join', '--from-stdin', '--yes'], env)
	joining.write(text)
	joining.endInput()
	await offer.joined
	await joining.stop()
	outputs.push({ ...(await joining.exited), stdout: joining.stdout(), stderr: joining.stderr() })
	const third = createHome(scope, 'third')
	const thirdEnv = { ...env, DATA_DIR: join(third.folder, 'agent-data') }
	const again = await sally(scope, third, ['agent', 'join', '--from-stdin', '--yes'], { input: text, env: thirdEnv })
	expect(again.status).not.toBe(0)
	outputs.push(again)
	const wrongPassword = canary('wrong-password')
	secrets.set('a wrong password', wrongPassword)
	expect((await run(['login', world.origin, '--email', ACCOUNT.email, '--password-stdin'], wrongPassword)).status).not.toBe(0)
	const mistyped = `${world.token.slice(0, -2)}zz`
	secrets.set('a mistyped token', mistyped)
	expect((await run(['login', world.origin, '--token-stdin'], mistyped)).status).not.toBe(0)
	lookAround()
	clearInterval(timer)
})

/** Which secrets stand in a text, by name: the failure must not print them either. */
const found = (text: string): readonly string[] =>
	[...secrets].filter(([, secret]) => text.includes(secret)).map(([name]) => name)

/** Every file below a folder. */
function filesBelow(folder: string): readonly string[] {
	return readdirSync(folder, { withFileTypes: true, recursive: true })
		.filter((entry) => entry.isFile())
		.map((entry) => join(entry.parentPath, entry.name))
}

describe('no secret of the flow stands', () => {
	it('in the log of relay and agent, which did say something', () => {
		expect(world.relayLogs()).toContain('node connected')
		expect(world.agentLogs()).toContain('connected to the relay')
		expect(found(world.relayLogs())).toEqual([])
		expect(found(world.agentLogs())).toEqual([])
	})

	it('in what commands print, their errors included', () => {
		expect(outputs.length).toBeGreaterThan(5)
		for (const { stdout, stderr } of outputs) expect(found(stdout + stderr)).toEqual([])
	})

	it('in any command line of this machine', () => {
		expect([...commandLines].some((line) => line.includes('sally.js agent start'))).toBe(true)
		expect(found([...commandLines].join('\n'))).toEqual([])
	})

	it.each([
		['the relay', () => world.relayHome.folder],
		['the agent', () => world.agentHome.folder],
		['the device', () => laptopFolder],
	])('in clear in a file of %s', (_name, folder) => {
		const files = filesBelow(folder())
		expect(files.length).toBeGreaterThan(0)
		expect(files.filter((file) => found(readFileSync(file, 'latin1')).length > 0)).toEqual([])
	})

	it('in an address that the relay was asked for, and such an address is refused', async () => {
		const response = await fetch(`${world.origin}/api/nodes?token=${world.token}`)
		expect(response.status).toBeGreaterThanOrEqual(400)
		expect(found(await response.text())).toEqual([])
		expect(found(world.relayLogs())).toEqual([])
	})
})
