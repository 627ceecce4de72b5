import { spawn } from 'node:child_process'
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openPrivateDirectory } from '@sallyport/carrier/node'
import { silentLogger } from '@sallyport/protocol'
import { build } from 'esbuild'
import { afterEach, describe, expect, it } from 'vitest'
import packageJson from '../package.json' with { type: 'json' }
import { createAgent } from './agent.ts'
import { PairingBook } from './gate/pairing-book.ts'
import { createAgentControlClient } from './local/control-client.ts'
import { openDocument } from './state/document.ts'
import { pairingsSchema } from './state/pairing-schema.ts'
import { configOf, newDevice, World } from './testing/world.fixture.ts'
import { AGENT_VERSION } from './version.ts'

const folders: string[] = []
const agents: { close(): Promise<void> }[] = []
afterEach(async () => {
	for (const agent of agents.splice(0)) await agent.close()
	for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
})
async function newFolder(): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), 'sally-agent-'))
	folders.push(folder)
	return join(folder, 'state')
}
async function newAgent(dataDir: string, change: Partial<ReturnType<typeof configOf>> = {}) {
	const agent = await createAgent({ log: silentLogger }, { ...configOf(dataDir), ...change })
	agents.push(agent)
	return agent
}

describe('an agent', () => {
	it('has the version of its package', () => expect(AGENT_VERSION).toBe(packageJson.version))

	it('is the same node after a restart, with its relay, sessions and pinned name', async () => {
		const world = await World.make()
		agents.push(world)
		const device = newDevice()
		await world.pair(device)
		const id = world.agent.nodeId
		await world.restart()
		expect(world.agent.nodeId).toBe(id)
		expect((await world.open(device)).ready.node).toMatchObject({ node_id: id, name: 'named by the relay' })
	})

	it('keeps its files to itself and its secrets sealed', async () => {
		const world = await World.make()
		agents.push(world)
		const invite = await world.invite()
		const folder = world.config.dataDir
		expect((await stat(folder)).mode & 0o777).toBe(0o700)
		for (const name of await readdir(folder)) expect((await stat(join(folder, name))).mode & 0o777, name).toBe(0o600)
		const sealed = await readFile(join(folder, 'pairings.sealed'))
		expect(sealed.includes(Buffer.from(invite.secret))).toBe(false)
		expect(sealed.includes(invite.invite_id)).toBe(false)
	})

	it('refuses a second agent on the same folder, and starts where one was killed', async () => {
		const dataDir = await newFolder()
		const first = await newAgent(dataDir)
		await first.start()
		await expect((await newAgent(dataDir)).start()).rejects.toMatchObject({
			code: 'already_running',
			message: expect.stringContaining('sally agent status'),
		})
		await first.close()
		// As a killed agent leaves it: a socket file that nobody answers.
		const dead = createServer()
		await new Promise<void>((resolve) => dead.listen(join(dataDir, 'stale.sock'), resolve))
		await rm(join(dataDir, 'control.sock'), { force: true })
		await symlink(join(dataDir, 'stale.sock'), join(dataDir, 'control.sock'))
		await new Promise((resolve) => dead.close(resolve))
		await (await newAgent(dataDir)).start()
	})

	it('says in one sentence that its port is taken, or takes another when it may', async () => {
		const server = createServer()
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
		const address = server.address()
		const port = typeof address === 'object' && address !== null ? address.port : 0
		const dataDir = await newFolder()
		await expect((await newAgent(dataDir, { port })).start()).rejects.toMatchObject({
			code: 'port_taken',
			message: expect.stringContaining(`port ${port}`),
		})
		const flexible = await newAgent(dataDir, { port, isPortFlexible: true })
		await flexible.start()
		expect(flexible.status().listener?.port).not.toBe(port)
		server.close()
	})

	it.each([
		['readable by others', (path: string) => chmod(path, 0o644), { code: 'readable_by_others' }],
		['a symlink', (path: string) => rm(path).then(() => symlink('/etc/hostname', path)), { code: 'symlink' }],
		['truncated', (path: string) => writeFile(path, 'x'), { code: 'state_corrupt' }],
	])('refuses an identity that is %s, with the reason', async (_what, spoil, error) => {
		const dataDir = await newFolder()
		await newAgent(dataDir)
		await spoil(join(dataDir, 'identity.key'))
		await expect(newAgent(dataDir)).rejects.toMatchObject({ ...error, message: expect.stringContaining('identity.key') })
	})

	it('sets a bit-flipped identity aside and keeps it; flipped pairings cost the pairings alone', async () => {
		const dataDir = await newFolder()
		const first = await newAgent(dataDir)
		const flip = async (name: string): Promise<void> => {
			const bytes = await readFile(join(dataDir, name))
			bytes[40] = (bytes[40] ?? 0) ^ 1
			await writeFile(join(dataDir, name), bytes)
		}
		await flip('identity.key')
		await expect(newAgent(dataDir)).rejects.toMatchObject({ code: 'state_corrupt' })
		expect((await readdir(dataDir)).some((name) => name.startsWith('identity.key.corrupt-'))).toBe(true)
		const world = await World.make()
		agents.push(world)
		await world.pair(newDevice())
		await world.agent.close()
		const bytes = await readFile(join(world.config.dataDir, 'pairings.sealed'))
		bytes[40] = (bytes[40] ?? 0) ^ 1
		await writeFile(join(world.config.dataDir, 'pairings.sealed'), bytes)
		await world.restart()
		expect(world.agent.status().sessions).toBe(0)
		expect((await readdir(world.config.dataDir)).some((name) => name.startsWith('pairings.sealed.corrupt-'))).toBe(true)
		expect(first.nodeId).not.toBe(world.agent.nodeId)
	})

	it('does not start under a policy that it cannot read', async () => {
		const dataDir = await newFolder()
		await newAgent(dataDir)
		await writeFile(join(dataDir, 'policy.json'), '{"version":1,"shel":true}', { mode: 0o600 })
		await expect(newAgent(dataDir)).rejects.toMatchObject({ code: 'bad_policy', message: expect.stringContaining('shel') })
		await writeFile(join(dataDir, 'policy.json'), '{"version":1}')
		await chmod(join(dataDir, 'policy.json'), 0o666)
		await expect(newAgent(dataDir)).rejects.toMatchObject({ code: 'bad_policy', message: expect.stringContaining('chmod') })
	})

	it('loses no pairing that it acknowledged and corrupts nothing, however often it is killed', async () => {
		const folder = await newFolder()
		const program = join(folder, '..', 'writer.mjs')
		await build({
			entryPoints: [join(import.meta.dirname, 'testing', 'kill-writer.fixture.ts')],
			bundle: true,
			platform: 'node',
			format: 'esm',
			conditions: ['@sallyport/source'],
			external: ['ws', 'bufferutil'],
			outfile: program,
			logLevel: 'error',
		})
		const acknowledged: string[] = []
		for (let round = 0; round < 20; round++) {
			const child = spawn(process.execPath, [program, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
			let text = ''
			const target = 1 + ((round * 7) % 13)
			child.stdout.on('data', (bytes: Buffer) => {
				text += bytes.toString()
				if (text.split('\n').length > target) child.kill('SIGKILL')
			})
			await new Promise((resolve) => child.once('close', resolve))
			acknowledged.push(...text.split('\n').slice(0, -1))
		}
		const directory = await openPrivateDirectory(folder)
		const document = await openDocument({
			directory,
			name: 'pairings',
			schema: pairingsSchema,
			log: silentLogger,
			onCorrupt: 'refuse',
			title: 'pairings',
		})
		const book = new PairingBook(
			document,
			() => Date.now(),
			() => undefined,
		)
		const known = new Set<string>(book.sessions.map((session) => session.session_id))
		expect(acknowledged.length).toBeGreaterThan(20)
		expect(acknowledged.filter((id) => !known.has(id))).toEqual([])
	})
})

describe('the control socket', () => {
	it('is for its user alone, answers in full, and refuses nonsense', async () => {
		const dataDir = await newFolder()
		let isStopAsked = false
		const agent = await createAgent({ log: silentLogger, onStopRequest: () => (isStopAsked = true) }, configOf(dataDir))
		agents.push(agent)
		const client = createAgentControlClient(dataDir)
		await expect(client.ask({ op: 'status' })).rejects.toMatchObject({
			code: 'not_running',
			message: expect.stringContaining('sally agent start'),
		})
		expect(await client.isRunning()).toBe(false)
		await agent.start()
		expect((await stat(join(dataDir, 'control.sock'))).mode & 0o777).toBe(0o600)
		expect(await client.ask({ op: 'status' })).toMatchObject({
			nodeId: agent.nodeId,
			sealedBy: 'key_file',
			links: [],
			policy: { isDefault: true },
		})
		await expect(client.ask({ op: 'invite' })).rejects.toMatchObject({ code: 'not_enrolled' })
		await expect(client.ask({ op: 'join', bundle: 'nonsense' })).rejects.toMatchObject({ code: 'join_invalid' })
		await expect(client.ask({ op: 'approve', request_id: 'x', digits: '12345' })).rejects.toMatchObject({
			code: 'request_failed',
		})
		expect(await client.ask({ op: 'forget_host', host: 'x', port: 22 })).toEqual({ found: false })
		await client.ask({ op: 'stop' })
		await expect.poll(() => isStopAsked).toBe(true)
	})
})
