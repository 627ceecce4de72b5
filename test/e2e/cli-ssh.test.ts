import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { createWorld, ownerToken, sha256, type World } from './cli-world.ts'
import {
	type ChildOptions,
	runChild,
	type Sshd,
	sally,
	sallyPath,
	startChild,
	startSally,
	startSshd,
	useScope,
} from './harness/index.ts'

const scope = useScope()
let sshd: Sshd
let world: World
let config: string
let sshOptions: ChildOptions

beforeAll(async () => {
	sshd = await startSshd(scope)
	world = await createWorld(scope, { SSH_PORT: String(sshd.port) })
	const blocks = await world.run(['ssh-config'])
	expect(blocks.status).toBe(0)
	config = join(world.laptop.folder, 'ssh_config')
	const own = [
		`IdentityFile ${sshd.keyFile}`,
		'IdentitiesOnly yes',
		'BatchMode yes',
		`User ${sshd.user}`,
		`UserKnownHostsFile ${world.laptop.folder}/known_hosts`,
		'LogLevel ERROR',
	]
	writeFileSync(config, `${blocks.stdout}\nHost *\n${own.map((line) => `\t${line}`).join('\n')}\n`)
	sshOptions = { env: { ...world.laptop.env } }
})

const ssh = (args: readonly string[], input?: string | Uint8Array) =>
	runChild(scope, 'ssh', ['-F', config, ...args], { ...sshOptions, ...(input === undefined ? {} : { input }) })

describe('stock OpenSSH over sally proxy', () => {
	it('runs a command, byte for byte, and passes its status on', async () => {
		expect(await ssh([world.node.name, 'cat; echo err >&2; exit 7'], 'one\ntwo\n')).toMatchObject({
			status: 7,
			stdout: 'one\ntwo\n',
			stderr: 'err\n',
		})
	})

	it('ends at once, with stderr on a pipe', async () => {
		await ssh([world.node.name, 'true'])
		const startedMs = performance.now()
		const ran = await runChild(scope, 'bash', ['-c', `ssh -F ${config} ${world.node.name} true 2>&1 | cat`], sshOptions)
		expect(ran).toMatchObject({ status: 0, stdout: '' })
		expect(performance.now() - startedMs).toBeLessThan(1500)
	})

	it('carries 32 MiB both ways unharmed', async () => {
		const sent = randomBytes(32 * 1024 * 1024)
		expect((await ssh([world.node.name, 'sha256sum'], sent)).stdout.slice(0, 64)).toBe(sha256(sent))
		const there = join(scope.folder, 'there.bin')
		writeFileSync(there, sent)
		const here = join(scope.folder, 'here.bin')
		await runChild(scope, 'bash', ['-c', `ssh -F ${config} ${world.node.name} cat ${there} > ${here}`], sshOptions)
		expect(sha256(readFileSync(here))).toBe(sha256(sent))
	})

	it('carries scp, sftp and rsync', async () => {
		const file = join(scope.folder, 'file.bin')
		const content = randomBytes(3 * 1024 * 1024)
		writeFileSync(file, content)
		const target = join(scope.folder, 'copies')
		mkdirSync(target)
		expect(
			await runChild(scope, 'scp', ['-q', '-F', config, file, `${world.node.name}:${target}/scp.bin`], sshOptions),
		).toMatchObject({ status: 0 })
		const batch = `put ${file} ${target}/sftp.bin\nget ${target}/scp.bin ${target}/back.bin\n`
		expect(
			await runChild(scope, 'sftp', ['-q', '-F', config, '-b', '-', world.node.name], { ...sshOptions, input: batch }),
		).toMatchObject({ status: 0 })
		const rsync = ['-a', '-e', `ssh -F ${config}`, file, `${world.node.name}:${target}/rsync.bin`]
		expect(await runChild(scope, 'rsync', rsync, sshOptions)).toMatchObject({ status: 0 })
		for (const name of ['scp.bin', 'sftp.bin', 'back.bin', 'rsync.bin'])
			expect(sha256(readFileSync(join(target, name)))).toBe(sha256(content))
	})

	it('carries git, there and back', async () => {
		const bare = join(scope.folder, 'there.git')
		const work = join(scope.folder, 'work')
		const env = { ...world.laptop.env, GIT_SSH_COMMAND: `ssh -F ${config}`, GIT_CONFIG_NOSYSTEM: '1' }
		const git = (...args: string[]) => runChild(scope, 'git', args, { env })
		await git('init', '-q', '--bare', '-b', 'main', bare)
		expect(await git('clone', '-q', `${world.node.name}:${bare}`, work)).toMatchObject({ status: 0 })
		writeFileSync(join(work, 'readme'), 'hello\n')
		await git('-C', work, 'add', '.')
		await git('-C', work, '-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-q', '-m', 'first')
		expect(await git('-C', work, 'push', '-q', 'origin', 'HEAD:main')).toMatchObject({ status: 0 })
		expect((await git('-C', bare, 'log', '--format=%s', 'main')).stdout).toBe('first\n')
	})

	it("serves an editor's own call: ssh -v -T -D PORT -o ConnectTimeout=15", async () => {
		const port = await freePort()
		const child = startChild(
			scope,
			'ssh',
			['-F', config, '-v', '-T', '-D', String(port), '-o', 'ConnectTimeout=15', '-o', 'LogLevel=VERBOSE', world.node.name],
			sshOptions,
		)
		child.write('echo ready-$((6*7))\n')
		await child.waitForOutput(/ready-42/)
		const target = await echoServer()
		expect(await socksEcho(port, target, 'through the tunnel')).toBe('through the tunnel')
		child.endInput()
		expect(await child.exited).toMatchObject({ status: 0 })
	})

	it('forwards ports both ways (-L, -R)', async () => {
		const target = await echoServer()
		const local = await freePort()
		const remote = await freePort()
		const words = [
			'-F',
			config,
			'-o',
			'ExitOnForwardFailure=yes',
			'-L',
			`${local}:127.0.0.1:${target}`,
			'-R',
			`${remote}:127.0.0.1:${target}`,
			world.node.name,
			'echo up; cat',
		]
		const child = startChild(scope, 'ssh', words, sshOptions)
		await child.waitForOutput(/up/)
		expect(await echo(local, 'from here')).toBe('from here')
		expect(await echo(remote, 'from there')).toBe('from there')
		child.endInput()
		expect(await child.exited).toMatchObject({ status: 0 })
	})

	it('refuses a changed host key', async () => {
		await ssh([world.node.name, 'true'])
		sshd.changeHostKey()
		const ran = await ssh(['-o', 'LogLevel=INFO', world.node.name, 'true'])
		expect(ran.status).toBe(255)
		expect(ran.stderr).toContain('REMOTE HOST IDENTIFICATION HAS CHANGED')
		writeFileSync(join(world.laptop.folder, 'known_hosts'), '')
	})
})

describe('sally proxy', () => {
	it('says in one sentence that the target broke off, after all that it had sent', async () => {
		let target: Socket | undefined
		const server = createServer((socket) => {
			target = socket.on('error', () => undefined)
			socket.write('as far as this')
		})
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
		scope.defer(() => new Promise<void>((resolve) => server.close(() => resolve())))
		const address = server.address()
		const port = typeof address === 'object' && address !== null ? address.port : 0
		await allowPort(port)
		const child = startSally(scope, world.laptop, ['proxy', world.node.name, `127.0.0.1:${port}`])
		await child.waitForOutput(/as far as this/)
		target?.resetAndDestroy()
		expect(await child.exited).toEqual({ status: 255, signal: null })
		expect(child.stdout()).toBe('as far as this')
		expect(child.stderr()).toMatch(/^sally: the other end closed the connection.*\n$/)
	})
})

describe('sally ssh', () => {
	const own = () => [
		'-F',
		'none',
		'-i',
		sshd.keyFile,
		'-o',
		'BatchMode=yes',
		'-o',
		`UserKnownHostsFile=${world.laptop.folder}/known_hosts`,
		'-o',
		'LogLevel=ERROR',
	]

	it('takes the options and the command of ssh', async () => {
		expect(await world.run(['ssh', `${sshd.user}@${world.node.name}`, ...own(), 'echo over; exit 4'])).toMatchObject({
			status: 4,
			stdout: 'over\n',
		})
	})

	it('leaves to its person what their own -o sets', async () => {
		const strict = ['-oUserKnownHostsFile=/dev/null', '-o', 'stricthostkeychecking yes']
		const args = [...strict, ...own(), 'echo over']
		const ran = await world.run(['ssh', `${sshd.user}@${world.node.name}`, ...args])
		expect(ran).toMatchObject({ status: 255, stdout: '', stderr: expect.stringContaining('Host key verification failed') })
	})

	it('fails in words for a machine that is not there', async () => {
		const ran = await world.run(['ssh', 'nowhere', 'true'])
		expect(ran.status).toBe(255)
		expect(ran.stderr).toContain('nowhere')
	})
})

describe('sally proxy', () => {
	const proxy = (args: readonly string[]) =>
		startChild(scope, process.execPath, [sallyPath(), 'proxy', world.node.name, ...args], sshOptions)

	it('prints nothing but data, and ends when the other side does', async () => {
		const child = proxy([])
		await child.waitForOutput(/^SSH-2\.0-/)
		child.write('nonsense\r\n')
		expect(await child.exited).toMatchObject({ status: 0 })
		expect(child.stdout()).toMatch(/^SSH-2\.0-/)
		expect(child.stderr()).toBe('')
	})

	it('says in words what is refused or not there, with status 255', async () => {
		const refused = await world.run(['proxy', world.node.name, '127.0.0.1:1'])
		expect(refused).toMatchObject({ status: 255, stdout: '' })
		expect(refused.stderr).toMatch(/^sally: .*127\.0\.0\.1/)
	})

	it('shares one link among fifty at once', async () => {
		const children = Array.from({ length: 50 }, () => proxy([]))
		await Promise.all(children.map((child) => child.waitForOutput(/^SSH-2\.0-/, 60_000)))
		const token = await ownerToken(world.up.origin)
		const response = await fetch(`${world.up.origin}/api/connections`, { headers: { authorization: `Bearer ${token}` } })
		const { connections } = (await response.json()) as { connections: unknown[] }
		expect(connections).toHaveLength(1)
		for (const child of children) child.endInput()
		await Promise.all(children.map((child) => child.exited))
	})
})

describe('sally forward', () => {
	it('leads a local port to one of the machine, many connections at once', async () => {
		const target = await echoServer()
		await allowPort(target)
		const child = startSally(scope, world.laptop, ['forward', world.node.name, `0:127.0.0.1:${target}`])
		const [, port] = await child.waitForOutput(/forwarding 127\.0\.0\.1:(\d+)/)
		const words = Array.from({ length: 8 }, () => randomBytes(300_000).toString('hex'))
		expect((await Promise.all(words.map((word) => echo(Number(port), word)))).map(sha256)).toEqual(words.map(sha256))
		child.kill('SIGINT')
		expect(await child.exited).toMatchObject({ status: 0 })
	})

	it('says in one sentence that its port is taken', async () => {
		const taken = await echoServer()
		const ran = await world.run(['forward', world.node.name, `${taken}:127.0.0.1:22`])
		expect(ran.status).toBe(1)
		expect(ran.stderr).toContain('taken')
	})
})

describe('a machine with a hostile name', () => {
	it('stays inert in ssh_config, tables and ssh', async () => {
		const token = await ownerToken(world.up.origin)
		const name = 'x"\';$(touch pwned)\n\tProxyCommand touch pwned\u001b[2J\u202e-oProxyCommand=touch'
		const rename = (to: string) =>
			fetch(`${world.up.origin}/api/nodes/${world.node.id}`, {
				method: 'PATCH',
				headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
				body: JSON.stringify({ name: to }),
			})
		const renamed = await rename(name)
		// A relay that refuses such a name outright is as good; a hostile relay would not.
		const shown = renamed.ok ? name : '-oProxyCommand=touch'
		if (!renamed.ok) await rename(shown)
		try {
			const blocks = (await world.run(['ssh-config'])).stdout
			const lines = blocks.split('\n').filter((line) => !line.startsWith('#'))
			expect(lines.filter((line) => line.startsWith('Host '))).toEqual([`Host sally-${world.node.id}`])
			expect(lines.filter((line) => line.includes('ProxyCommand'))).toHaveLength(1)
			expect(blocks).not.toContain('\u001b')
			const table = (await world.run(['nodes'])).stdout
			expect(table.trim().split('\n')).toHaveLength(2)
			expect(table).not.toMatch(/[\u001b\u202e]/)
		} finally {
			await rename(world.node.name)
		}
	})
})

async function freePort(): Promise<number> {
	const server = createServer()
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
	const address = server.address()
	await new Promise<void>((resolve) => server.close(() => resolve()))
	return typeof address === 'object' && address !== null ? address.port : 0
}

async function echoServer(): Promise<number> {
	const server = createServer({ allowHalfOpen: true }, (socket) => {
		socket.on('error', () => undefined)
		socket.pipe(socket)
	})
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
	scope.defer(() => new Promise<void>((resolve) => server.close(() => resolve())))
	const address = server.address()
	return typeof address === 'object' && address !== null ? address.port : 0
}

function echo(port: number, text: string): Promise<string> {
	return new Promise((resolve, reject) => {
		const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
		let got = ''
		socket.setEncoding('utf8').on('data', (part: string) => {
			got += part
		})
		socket.on('end', () => {
			socket.destroy()
			resolve(got)
		})
		socket.on('error', reject)
		socket.end(text)
	})
}

/** A SOCKS5 CONNECT by hand. */
function socksEcho(port: number, target: number, text: string): Promise<string> {
	return new Promise((resolve, reject) => {
		const socket = connect({ port, host: '127.0.0.1' })
		let got = Buffer.alloc(0)
		socket.on('error', reject)
		socket.on('data', (part) => {
			got = Buffer.concat([got, part])
			if (got.length === 2) socket.write(Buffer.from([5, 1, 0, 1, 127, 0, 0, 1, target >> 8, target & 255]))
			if (got.length === 12) socket.write(text)
			if (got.length === 12 + text.length) {
				socket.destroy()
				resolve(got.subarray(12).toString())
			}
		})
		socket.write(Buffer.from([5, 1, 0]))
	})
}

/** The default policy reaches the machine's own sshd alone. */
async function allowPort(port: number): Promise<void> {
	const onNode = (args: readonly string[]) => sally(scope, world.up.home, ['agent', ...args])
	const { policy } = JSON.parse((await onNode(['status', '--json'])).stdout) as { policy: { path: string } }
	writeFileSync(policy.path, JSON.stringify({ version: 1, forward: [{ host: '127.0.0.1', ports: port }] }), { mode: 0o600 })
	expect(await onNode(['reload'])).toMatchObject({ status: 0 })
}
