import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { createWorld, OWNER, ownerToken, sha256, signedIn, startInPty, type World } from './cli-world.ts'
import {
	createHome,
	isRoot,
	runChild,
	sally,
	sallyPath,
	startChild,
	startSally,
	startUp,
	useScope,
	waitFor,
} from './harness/index.ts'

const scope = useScope()
let world: World

beforeAll(async () => {
	world = await createWorld(scope)
})

describe('sally itself', () => {
	it('tells its version at once', async () => {
		const home = createHome(scope, 'version')
		const startedMs = performance.now()
		expect(await sally(scope, home, ['--version'])).toMatchObject({ status: 0, stdout: '0.1.0\n', stderr: '' })
		expect(performance.now() - startedMs).toBeLessThan(2000)
	})

	it('explains a wrong option with status 2', async () => {
		const ran = await world.run(['nodes', '--jsn'])
		expect(ran).toMatchObject({ status: 2, stdout: '' })
		expect(ran.stderr).toContain('--json')
	})
})

describe('sally up', () => {
	it('prints one line, ends cleanly on Ctrl+C, and remembers everything at the next start', async () => {
		const home = createHome(scope, 'remembers')
		const first = await startUp(scope, home)
		expect(first.child.stdout().trim().split('\n')).toHaveLength(1)
		expect(new URLSearchParams(new URL(first.link).hash.slice(1)).get('invite')).toMatch(/^sly_invite_v1\./)
		const { setUp } = await import('./cli-world.ts')
		await setUp(first.origin, new URLSearchParams(new URL(first.link).hash.slice(1)).get('setup') ?? '')
		first.child.kill('SIGINT')
		expect(await first.child.exited).toEqual({ status: 0, signal: null })
		const again = await startUp(scope, home, { PORT: new URL(first.origin).port })
		expect(again.link).toBe(first.origin)
		const token = await ownerToken(again.origin)
		const nodes = await waitFor('the machine to be back', async () => {
			const response = await fetch(`${again.origin}/api/nodes`, { headers: { authorization: `Bearer ${token}` } })
			const answer = (await response.json()) as { nodes: { connected: boolean }[] }
			return answer.nodes.some((node) => node.connected) && answer.nodes
		})
		expect(nodes).toHaveLength(1)
		await again.child.stop()
	})

	it('keeps its machine and the pairings of command lines when its address changes', async () => {
		const moving = await createWorld(scope)
		await moving.up.child.stop()
		const again = await startUp(scope, moving.up.home, { NEW_LINKS_PER_MINUTE: '1000' })
		expect(again.origin).not.toBe(moving.up.origin)
		expect(again.child.stderr()).toContain(`this relay was at ${moving.up.origin} and is at ${again.origin} now`)
		const login = ['login', again.origin, '--email', OWNER.email, '--password-stdin']
		expect(await moving.run(login, { input: OWNER.password })).toMatchObject({ status: 0 })
		expect(await moving.run(['exec', moving.node.name, '--', 'echo', 'moved'])).toMatchObject({ status: 0, stdout: 'moved\n' })
		await again.child.stop()
		const third = await startUp(scope, moving.up.home, { PORT: new URL(again.origin).port })
		expect(third.child.stderr()).not.toContain('this relay was at')
		await third.child.stop()
	})

	it('says in one sentence that its port is taken', async () => {
		const server = createServer()
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
		scope.defer(() => new Promise<void>((resolve) => server.close(() => resolve())))
		const address = server.address()
		const port = typeof address === 'object' && address !== null ? String(address.port) : ''
		const ran = await sally(scope, createHome(scope, 'taken'), ['up'], { env: { PORT: port, AGENT_PORT: '0' } })
		expect(ran.status).toBe(1)
		expect(ran.stdout).toBe('')
		expect(ran.stderr.trim().split('\n')).toHaveLength(1)
		expect(ran.stderr).toContain(`port ${port}`)
	})

	it.runIf(!isRoot())('says in one sentence that its folder is not writable', async () => {
		const home = createHome(scope, 'readonly')
		chmodSync(join(home.folder, 'data'), 0o500)
		const ran = await sally(scope, home, ['up'], { env: { PORT: '0', AGENT_PORT: '0' } })
		expect(ran.status).toBe(1)
		expect(ran.stderr.trim().split('\n')).toHaveLength(1)
	})

	it('refuses a folder that others can read', async () => {
		const home = createHome(scope, 'open-folder')
		const folder = join(home.folder, 'everyone')
		mkdirSync(join(folder, 'agent'), { recursive: true, mode: 0o755 })
		chmodSync(join(folder, 'agent'), 0o755)
		const ran = await sally(scope, home, ['up'], { env: { PORT: '0', AGENT_PORT: '0', DATA_DIR: folder } })
		expect(ran.status).toBe(1)
		expect(ran.stderr).toContain('chmod 700')
	})

	it('lists every wrong setting at once, with status 2', async () => {
		const ran = await sally(scope, createHome(scope, 'settings'), ['relay'], { env: { PORT: 'x', APP_MODE: 'fast' } })
		expect(ran.status).toBe(2)
		expect(ran.stderr).toContain('PORT')
		expect(ran.stderr).toContain('APP_MODE')
	})
})

describe('signing in', () => {
	it('asks to sign in first, with status 3', async () => {
		const ran = await sally(scope, createHome(scope, 'nobody'), ['nodes'])
		expect(ran).toMatchObject({ status: 3, stdout: '' })
		expect(ran.stderr).toContain('sally login')
	})

	it('refuses a wrong password with status 3 and keeps nothing', async () => {
		const home = createHome(scope, 'wrong')
		const args = ['login', world.up.origin, '--email', OWNER.email, '--password-stdin']
		expect(await sally(scope, home, args, { input: 'not it' })).toMatchObject({ status: 3 })
		expect(await sally(scope, home, ['whoami'])).toMatchObject({ status: 3 })
	})

	it('says that an address is no relay', async () => {
		const ran = await sally(scope, createHome(scope, 'nowhere'), ['login', 'http://127.0.0.1:1'])
		expect(ran.status).toBe(1)
		expect(ran.stderr).toMatch(/can't be reached|nothing listens/)
	})

	it('takes no password over a way that others can read', async () => {
		const ran = await sally(scope, createHome(scope, 'plain'), ['login', 'http://relay.example'])
		expect(ran.status).toBe(2)
		expect(ran.stderr).toContain('not encrypted')
	})

	it('takes a token from standard input, and shows account and device', async () => {
		const home = createHome(scope, 'by-token')
		const token = await ownerToken(world.up.origin)
		expect(await sally(scope, home, ['login', world.up.origin, '--token-stdin'], { input: `${token}\n` })).toMatchObject({
			status: 0,
		})
		const whoami = await sally(scope, home, ['whoami', '--json'])
		expect(JSON.parse(whoami.stdout)).toMatchObject({ origin: world.up.origin, user: { username: OWNER.username } })
		expect(await sally(scope, home, ['logout'])).toMatchObject({ status: 0 })
		expect(await sally(scope, home, ['whoami'])).toMatchObject({ status: 3 })
	})

	it('keeps the password in no file, and the token in none that can be read as text', async () => {
		const home = await signedIn(scope, world.up.origin, 'sealed')
		const found = await runChild(scope, 'grep', ['-r', '-l', '-e', 'sly_cli_', '-e', OWNER.password, home.folder])
		expect(found.stdout).toBe('')
	})
})

describe('sally nodes', () => {
	it('shows the machine as online and paired', async () => {
		const table = await world.run(['nodes'])
		expect(table.stdout).toMatch(new RegExp(`${world.node.name} +online +yes`))
		const json = JSON.parse((await world.run(['nodes', '--json'])).stdout) as unknown[]
		expect(json).toEqual([expect.objectContaining({ id: world.node.id, connected: true, paired: true })])
	})
})

describe.each([
	['over the shared link', [] as string[]],
	['over a link of its own', ['--no-share']],
])('sally exec %s', (_name, flags) => {
	const exec = (argv: readonly string[], input?: string | Uint8Array) =>
		world.run([...flags, 'exec', world.node.name, '--', ...argv], input === undefined ? {} : { input })

	it('keeps stdout and stderr apart and passes the status on', async () => {
		expect(await exec(['sh', '-c', 'echo out; echo err >&2; exit 7'])).toMatchObject({
			status: 7,
			stdout: 'out\n',
			stderr: 'err\n',
		})
	})

	it('carries every byte both ways', async () => {
		const sent = randomBytes(8 * 1024 * 1024)
		expect((await exec(['sha256sum'], sent)).stdout.slice(0, 64)).toBe(sha256(sent))
		const file = join(scope.folder, `bytes-${randomBytes(4).toString('hex')}`)
		writeFileSync(file, sent)
		const received = join(scope.folder, `received-${randomBytes(4).toString('hex')}`)
		const words = [...flags, 'exec', world.node.name, '--', 'cat', file].map((word) => `'${word}'`).join(' ')
		const copied = await runChild(scope, 'sh', ['-c', `${process.execPath} ${sallyPath()} ${words} > ${received}`], {
			env: world.laptop.env,
		})
		expect(copied.status).toBe(0)
		expect(sha256(readFileSync(received))).toBe(sha256(sent))
	})

	it('tells death by a signal as shells do', async () => {
		expect(await exec(['sh', '-c', 'kill -KILL $$'])).toMatchObject({ status: 137 })
	})

	it('hands words over as they are, through no shell', async () => {
		expect((await exec(['printf', '%s\\n', '$(id)', '; ls', "it's", '-n'])).stdout).toBe("$(id)\n; ls\nit's\n-n\n")
	})

	it('ends when the program ends, whatever stays open on the input', async () => {
		const child = startChild(scope, process.execPath, [sallyPath(), ...flags, 'exec', world.node.name, '--', 'echo', 'done'], {
			env: world.laptop.env,
		})
		expect(await child.exited).toEqual({ status: 0, signal: null })
		expect(child.stdout()).toBe('done\n')
	})

	it('says with status 255 what is not there', async () => {
		const program = await exec(['no-such-program-here'])
		expect(program).toMatchObject({ status: 255, stdout: '' })
		expect(program.stderr).toContain('no-such-program-here')
		const machine = await world.run([...flags, 'exec', 'nowhere', '--', 'true'])
		expect(machine).toMatchObject({ status: 255, stdout: '' })
		expect(machine.stderr).toContain('nowhere')
	})
})

describe('sally exec and signals', () => {
	it('passes an interrupt on to the program', async () => {
		const script = 'trap "echo caught; exit 9" INT; echo ready; while :; do sleep 0.05; done'
		const child = startChild(scope, process.execPath, [sallyPath(), 'exec', world.node.name, '--', 'sh', '-c', script], {
			env: world.laptop.env,
		})
		await child.waitForOutput(/ready/)
		child.kill('SIGINT')
		expect(await child.exited).toEqual({ status: 9, signal: null })
		expect(child.stdout()).toBe('ready\ncaught\n')
	})

	it('ends the program when nobody reads what it prints', async () => {
		const words = `${process.execPath} ${sallyPath()} exec ${world.node.name} -- yes | head -n 2`
		expect(await runChild(scope, 'bash', ['-c', words], { env: world.laptop.env })).toMatchObject({
			stdout: 'y\ny\n',
			stderr: '',
		})
	})
})

describe('sally shell', () => {
	it('is a terminal: size, keys, full width, and the exit status of the shell', async () => {
		const shell = startInPty(scope, world.laptop, ['shell', world.node.name])
		shell.write('stty size\r')
		await shell.waitForOutput(/24 80/)
		shell.resize(100, 30)
		shell.write('sleep 0.2; stty size\r')
		await shell.waitForOutput(/30 100/)
		shell.write('exit 5\r')
		expect(await shell.exited).toBe(5)
	})

	it('is left by ~. at the start of a line, goes on, and can be come back to', async () => {
		const shell = startInPty(scope, world.laptop, ['shell', world.node.name])
		shell.write('MARK=still-here; echo set-$MARK\r')
		await shell.waitForOutput(/set-still-here/)
		shell.write('~.')
		expect(await shell.exited).toBe(0)
		expect(shell.output()).toContain('--attach')
		const listed = JSON.parse((await world.run(['terminals', world.node.name, '--json'])).stdout) as {
			terminal_id: string
			attached: number
		}[]
		expect(listed).toEqual([expect.objectContaining({ attached: 0 })])
		const again = startInPty(scope, world.laptop, ['shell', world.node.name, '--attach'])
		again.write('echo back-$MARK\r')
		await again.waitForOutput(/back-still-here/)
		again.write('exit\r')
		expect(await again.exited).toBe(0)
	})

	it('needs a terminal, and says what to use without one', async () => {
		const ran = await world.run(['shell', world.node.name])
		expect(ran.status).toBe(2)
		expect(ran.stderr).toContain('sally exec')
	})
})

describe('the background process', () => {
	it('ends by itself after its last stream', async () => {
		const home = await signedIn(scope, world.up.origin, 'idle')
		const invite = JSON.parse((await sally(scope, world.up.home, ['agent', 'invite', '--json'])).stdout) as { text: string }
		await sally(scope, home, ['pair', '--invite', '--yes'], { input: invite.text })
		const env = { SALLY_BACKGROUND_IDLE_MS: '300' }
		expect(await sally(scope, home, ['exec', world.node.name, '--', 'true'], { env })).toMatchObject({ status: 0 })
		await waitFor('the socket to be gone', async () => (await runChild(scope, 'find', [home.folder, '-type', 's'])).stdout === '')
	})

	it('is started again when it was killed', async () => {
		expect(await world.run(['exec', world.node.name, '--', 'true'])).toMatchObject({ status: 0 })
		const pids = (await runChild(scope, 'pgrep', ['-f', 'sally: links of profile'])).stdout.trim().split('\n')
		const ours = pids.filter((pid) => readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`HOME=${world.laptop.folder}\0`))
		expect(ours).toHaveLength(1)
		process.kill(Number(ours[0]), 'SIGKILL')
		expect(await world.run(['exec', world.node.name, '--', 'echo', 'again'])).toMatchObject({ status: 0, stdout: 'again\n' })
	})

	it('tells a running command that it went away', async () => {
		const child = startSally(scope, world.laptop, ['exec', world.node.name, '--', 'sh', '-c', 'echo up; sleep 60'])
		await child.waitForOutput(/up/)
		const pids = (await runChild(scope, 'pgrep', ['-f', 'sally: links of profile'])).stdout.trim().split('\n')
		const ours = pids.filter((pid) => readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`HOME=${world.laptop.folder}\0`))
		process.kill(Number(ours[0]), 'SIGKILL')
		expect(await child.exited).toEqual({ status: 255, signal: null })
		expect(child.stderr()).toContain('background process ended')
	})

	it('of another build takes nothing new, and ends with what it carries', async () => {
		const script = 'echo up; read line; echo "got $line"'
		const child = startSally(scope, world.laptop, ['exec', world.node.name, '--', 'sh', '-c', script])
		await child.waitForOutput(/up/)
		const before = await backgroundPids()
		expect(before).toHaveLength(1)
		const path = (await runChild(scope, 'find', [world.laptop.folder, '-type', 's'])).stdout.trim()
		const answer = await askSocket(path, `${JSON.stringify({ v: 1, build: 'another', request: { op: 'status' } })}\n`)
		expect(JSON.parse(answer)).toEqual({ kind: 'draining' })
		expect(await world.run(['exec', world.node.name, '--', 'echo', 'new'])).toMatchObject({ status: 0, stdout: 'new\n' })
		const during = await backgroundPids()
		expect(during).toHaveLength(2)
		expect(during).toEqual(expect.arrayContaining([...before]))
		child.write('still\n')
		child.endInput()
		expect(await child.exited).toEqual({ status: 0, signal: null })
		expect(child.stdout()).toBe('up\ngot still\n')
		const [old] = before
		await waitFor('the older process to end', async () => !(await backgroundPids()).includes(old ?? 0))
		expect(await world.run(['exec', world.node.name, '--', 'echo', 'newer'])).toMatchObject({ status: 0, stdout: 'newer\n' })
	})
})

async function backgroundPids(): Promise<readonly number[]> {
	const pids = (await runChild(scope, 'pgrep', ['-f', 'sally: links of profile'])).stdout.trim().split('\n')
	const isOurs = (pid: string): boolean => {
		try {
			return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`HOME=${world.laptop.folder}\0`)
		} catch {
			return false
		}
	}
	return pids.filter(isOurs).map(Number)
}

function askSocket(path: string, line: string): Promise<string> {
	return new Promise((resolve, reject) => {
		const socket = connect(path)
		let text = ''
		socket.setEncoding('utf8').on('data', (part: string) => {
			text += part
		})
		socket.on('end', () => resolve(text))
		socket.on('error', reject)
		socket.write(line)
	})
}
