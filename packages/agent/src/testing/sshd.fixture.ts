import type { ChildProcess } from 'node:child_process'
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'

/** A real OpenSSH server on a free port, with a user of its own who has a password and a key. Needs root. */
export class TestSshd {
	readonly port: number
	readonly user: string
	readonly password = `pw-${randomBytes(9).toString('hex')}`
	/** Private key in OpenSSH form; the second is the same kind with a passphrase. */
	readonly key: string
	readonly lockedKey: string
	readonly passphrase = 'open sesame'
	readonly #folder: string
	#process: ChildProcess | undefined

	private constructor(folder: string, port: number) {
		this.#folder = folder
		this.port = port
		this.user = `sly${randomBytes(4).toString('hex')}`
		mkdirSync(folder, { recursive: true, mode: 0o755 })
		execFileSync('useradd', ['-M', '-d', folder, '-s', '/bin/sh', this.user])
		execFileSync('chpasswd', { input: `${this.user}:${this.password}\n` })
		const makeKey = (name: string, passphrase: string): string => {
			execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', passphrase, '-f', join(folder, name)])
			return readFileSync(join(folder, name), 'utf8')
		}
		this.key = makeKey('key', '')
		this.lockedKey = makeKey('locked', this.passphrase)
		const authorized = readFileSync(join(folder, 'key.pub'), 'utf8') + readFileSync(join(folder, 'locked.pub'), 'utf8')
		writeFileSync(join(folder, 'authorized_keys'), authorized)
		this.newHostKey()
	}

	static async start(folder: string, extra: readonly string[] = []): Promise<TestSshd> {
		const sshd = new TestSshd(folder, await freePort())
		await sshd.run(extra)
		return sshd
	}

	get fingerprint(): string {
		const text = execFileSync('ssh-keygen', ['-lf', join(this.#folder, 'host.pub')], { encoding: 'utf8' })
		return text.split(' ')[1] ?? ''
	}

	newHostKey(): void {
		for (const name of ['host', 'host.pub']) rmSync(join(this.#folder, name), { force: true })
		execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(this.#folder, 'host')])
	}

	async run(extra: readonly string[] = []): Promise<void> {
		mkdirSync('/run/sshd', { recursive: true })
		const config = [
			`Port ${this.port}`,
			'ListenAddress 127.0.0.1',
			`HostKey ${join(this.#folder, 'host')}`,
			`AuthorizedKeysFile ${join(this.#folder, 'authorized_keys')}`,
			'StrictModes no',
			'PasswordAuthentication yes',
			'KbdInteractiveAuthentication no',
			'UsePAM yes',
			'PidFile none',
			'PrintMotd no',
			...extra,
		]
		// The first of two values counts in sshd: what a test adds comes first.
		writeFileSync(join(this.#folder, 'sshd_config'), [...extra, ...config].join('\n'))
		this.#process = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', join(this.#folder, 'sshd_config')], { stdio: 'ignore' })
		while (!(await answers(this.port))) await new Promise((resolve) => setImmediate(resolve))
	}

	async halt(): Promise<void> {
		const child = this.#process
		this.#process = undefined
		if (child === undefined || child.exitCode !== null) return
		await new Promise((resolve) => {
			child.once('exit', resolve)
			child.kill('SIGTERM')
		})
	}

	async stop(): Promise<void> {
		await this.halt()
		try {
			execFileSync('userdel', ['-f', this.user], { stdio: 'ignore' })
		} catch {
			// A session of the user may still be ending; the user database is left as the system says.
		}
		rmSync(this.#folder, { recursive: true, force: true })
	}
}

function freePort(): Promise<number> {
	return new Promise((resolve) => {
		const server = createServer().listen(0, '127.0.0.1', () => {
			const address = server.address()
			const port = typeof address === 'object' && address !== null ? address.port : 0
			server.close(() => resolve(port))
		})
	})
}

function answers(port: number): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = connect(port, '127.0.0.1')
		socket.once('data', () => {
			socket.destroy()
			resolve(true)
		})
		socket.once('error', () => resolve(false))
	})
}
