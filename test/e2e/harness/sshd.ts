/**
 * A real OpenSSH server for one test file. Each connection gets an `sshd -i` of its own, with the socket itself as its
 * input and output: the port is one that the system chose, and nobody else can take it in between.
 */
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import type { Scope } from './scope.ts'

const SSHD = '/usr/sbin/sshd'

export interface SshdOptions {
	/** Extra lines of sshd_config, e.g. `Banner none`. */
	readonly config?: readonly string[]
	/** With PAM, the server also offers keyboard-interactive; only as root. */
	readonly pam?: boolean
}

export interface Sshd {
	readonly host: string
	readonly port: number
	/** Who may log in by `keyFile`. */
	readonly user: string
	readonly keyFile: string
	/** `SHA256:…`, as clients show it. */
	fingerprint(): string
	knownHostsFile(): string
	/** As after a reinstallation: same address, another key. */
	changeHostKey(): void
	/** Options for `ssh` and its kin that use nothing of the real home. */
	clientOptions(): readonly string[]
	connections(): number
}

export async function startSshd(scope: Scope, options: SshdOptions = {}): Promise<Sshd> {
	const folder = join(scope.folder, `sshd-${randomBytes(4).toString('hex')}`)
	mkdirSync(folder, { mode: 0o755 })
	// The folder of a scope is for its owner alone; an sshd that drops to another user has to pass through it.
	if (isRoot()) {
		chmodSync(scope.folder, 0o711)
		mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
	}
	const keyFile = makeKey(folder, 'user')
	writeFileSync(join(folder, 'authorized_keys'), readFileSync(`${keyFile}.pub`))
	let hostKey = makeKey(folder, 'host-1')
	const configFile = join(folder, 'sshd_config')
	const writeConfig = () => writeFileSync(configFile, configText(folder, hostKey, options))
	writeConfig()
	let log = ''
	let connections = 0
	const running = new Set<Socket>()
	const server = createServer({ pauseOnConnect: true }, (socket) => {
		connections++
		running.add(socket)
		socket.on('error', () => running.delete(socket))
		const child = spawn(SSHD, ['-i', '-e', '-f', configFile], { stdio: [socket, socket, 'pipe'] })
		child.stderr?.setEncoding('utf8').on('data', (text: string) => {
			log += text
		})
		scope.defer(() => void child.kill('SIGKILL'))
		// The server's copy of the socket is closed; the connection lives on in sshd.
		socket.destroy()
	})
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
	scope.defer(() => new Promise<void>((resolve) => server.close(() => resolve())))
	scope.addLog('sshd', () => log)
	const address = server.address()
	if (address === null || typeof address === 'string') throw new Error('the listener has no port')
	const { port } = address
	const knownHostsFile = () => {
		const file = join(folder, 'known_hosts')
		writeFileSync(file, `[127.0.0.1]:${port} ${readFileSync(`${hostKey}.pub`, 'utf8')}`)
		return file
	}
	return {
		host: '127.0.0.1',
		port,
		user: userInfo().username,
		keyFile,
		fingerprint: () => spawnText('ssh-keygen', ['-lf', `${hostKey}.pub`]).split(' ')[1] ?? '',
		knownHostsFile,
		changeHostKey() {
			hostKey = makeKey(folder, `host-${randomBytes(4).toString('hex')}`)
			writeConfig()
		},
		clientOptions: () => ['-F', 'none', '-i', keyFile, ...optionList(knownHostsFile())],
		connections: () => connections,
	}
}

export interface SystemUser {
	readonly name: string
	readonly password: string
	readonly home: string
}

/** A user of this machine with a password of its own, for the time of the test; only as root. */
export function createSystemUser(scope: Scope): SystemUser {
	const name = `sly${randomBytes(4).toString('hex')}`
	const password = randomBytes(12).toString('base64url')
	const home = join(scope.folder, name)
	chmodSync(scope.folder, 0o711)
	spawnText('useradd', ['--create-home', '--home-dir', home, '--shell', '/bin/bash', name])
	scope.defer(() => void spawnSync('userdel', ['--force', name]))
	const set = spawnSync('chpasswd', [], { input: `${name}:${password}\n`, encoding: 'utf8' })
	if (set.status !== 0) throw new Error(`chpasswd failed: ${set.stderr}`)
	return { name, password, home }
}

export const isRoot = (): boolean => process.getuid?.() === 0

function optionList(knownHosts: string): readonly string[] {
	const options = ['BatchMode=yes', 'IdentitiesOnly=yes', 'StrictHostKeyChecking=yes', `UserKnownHostsFile=${knownHosts}`]
	return [...options, 'GlobalKnownHostsFile=/dev/null', 'LogLevel=ERROR'].flatMap((option) => ['-o', option])
}

function configText(folder: string, hostKey: string, options: SshdOptions): string {
	const lines = [
		`HostKey ${hostKey}`,
		`AuthorizedKeysFile ${join(folder, 'authorized_keys')}`,
		'PidFile none',
		'StrictModes no',
		'PermitRootLogin yes',
		'PubkeyAuthentication yes',
		'PasswordAuthentication yes',
		`KbdInteractiveAuthentication ${options.pam === true ? 'yes' : 'no'}`,
		`UsePAM ${options.pam === true ? 'yes' : 'no'}`,
		'UseDNS no',
		'PrintMotd no',
		'AcceptEnv LANG LC_*',
		'AllowTcpForwarding yes',
		'MaxAuthTries 6',
		'Subsystem sftp internal-sftp',
		...(options.config ?? []),
	]
	return `${lines.join('\n')}\n`
}

function makeKey(folder: string, name: string): string {
	const file = join(folder, name)
	spawnText('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', file])
	return file
}

function spawnText(command: string, args: readonly string[]): string {
	const done = spawnSync(command, args, { encoding: 'utf8' })
	if (done.status !== 0) throw new Error(`${command} failed: ${done.stderr || done.error?.message}`)
	return done.stdout
}
