import { existsSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
	createHome,
	createScope,
	createSystemUser,
	isRoot,
	launchChromium,
	openPerson,
	runChild,
	startChild,
	startSshd,
	useScope,
	waitFor,
	within,
} from './harness/index.ts'

const scope = useScope()

describe('waiting', () => {
	it('gives the first answer that is one', async () => {
		let asked = 0
		expect(await waitFor('the third time', () => ++asked === 3 && 'there')).toBe('there')
		expect(asked).toBe(3)
	})

	it('names what did not come, and the last fault', async () => {
		const never = waitFor(
			'a miracle',
			() => {
				throw new Error('not today')
			},
			50,
		)
		await expect(never).rejects.toMatchObject({ message: 'waited 50 ms for a miracle', cause: new Error('not today') })
		await expect(within('a miracle', new Promise(() => undefined), 50)).rejects.toThrow('waited 50 ms for a miracle')
	})
})

describe('a scope', () => {
	it('undoes newest first, goes on after a failure, and removes its folder', async () => {
		const own = createScope()
		const order: string[] = []
		own.defer(() => void order.push('first'))
		own.defer(() => {
			throw new Error('in between')
		})
		own.defer(async () => void order.push('last'))
		await expect(own.close()).rejects.toThrow(AggregateError)
		expect(order).toEqual(['last', 'first'])
		expect(existsSync(own.folder)).toBe(false)
	})

	it('ends a program that will not end by itself', async () => {
		const own = createScope()
		const stubborn = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('up')"
		const child = startChild(own, process.execPath, ['-e', stubborn], { graceMs: 100 })
		await child.waitForOutput(/up/)
		await own.close()
		expect(await child.exited).toEqual({ status: null, signal: 'SIGKILL' })
	})

	it('tells at once when a program ends without the line that was waited for', async () => {
		const child = startChild(scope, process.execPath, ['-e', "console.error('no luck'); process.exit(3)"])
		await expect(child.waitForOutput(/ready/)).rejects.toThrow(/ended \(\{"status":3,"signal":null\}\).*\n.*no luck/s)
	})
})

describe('a real sshd', () => {
	it('lets the test key in and runs a command, byte for byte', async () => {
		const sshd = await startSshd(scope)
		const home = createHome(scope, 'ssh-client')
		const args = [...sshd.clientOptions(), '-p', String(sshd.port), `${sshd.user}@${sshd.host}`, 'cat; exit 7']
		const ran = await runChild(scope, 'ssh', args, { env: home.env, input: 'one\ntwo\n' })
		expect(ran).toMatchObject({ status: 7, stdout: 'one\ntwo\n', stderr: '' })
		expect(sshd.connections()).toBe(1)
	})

	it('serves sftp', async () => {
		const sshd = await startSshd(scope)
		const home = createHome(scope, 'sftp-client')
		writeFileSync(join(home.folder, 'here.txt'), 'carried\n')
		const args = [...sshd.clientOptions(), '-P', String(sshd.port), '-b', '-', `${sshd.user}@${sshd.host}`]
		const input = `put ${join(home.folder, 'here.txt')} ${join(home.folder, 'there.txt')}\n`
		expect(await runChild(scope, 'sftp', args, { env: home.env, input })).toMatchObject({ status: 0 })
		expect(existsSync(join(home.folder, 'there.txt'))).toBe(true)
	})

	it('shows another host key at the same address after a change', async () => {
		const sshd = await startSshd(scope)
		const home = createHome(scope, 'changed-client')
		const before = sshd.fingerprint()
		const trusting = [...sshd.clientOptions(), '-p', String(sshd.port), `${sshd.user}@${sshd.host}`, 'true']
		writeFileSync(join(home.folder, 'known'), '')
		const pinned = trusting.map((arg) =>
			arg.startsWith('UserKnownHostsFile=') ? `UserKnownHostsFile=${home.folder}/known` : arg,
		)
		const first = pinned.map((arg) => (arg === 'StrictHostKeyChecking=yes' ? 'StrictHostKeyChecking=accept-new' : arg))
		expect(await runChild(scope, 'ssh', first, { env: home.env })).toMatchObject({ status: 0 })
		sshd.changeHostKey()
		expect(sshd.fingerprint()).not.toBe(before)
		const refused = await runChild(scope, 'ssh', pinned, { env: home.env })
		expect(refused.status).toBe(255)
		expect(refused.stderr).toContain('REMOTE HOST IDENTIFICATION HAS CHANGED')
	})

	it.runIf(isRoot())('takes the password of a user of this machine, by PAM and without', async () => {
		const user = createSystemUser(scope)
		const home = createHome(scope, 'password-client')
		const askpass = join(home.folder, 'askpass')
		writeFileSync(askpass, '#!/bin/sh\necho "$ANSWER"\n', { mode: 0o700 })
		for (const [pam, method] of [
			[false, 'password'],
			[true, 'keyboard-interactive'],
		] as const) {
			const sshd = await startSshd(scope, { pam })
			const batch = sshd.clientOptions().map((option) => (option === 'BatchMode=yes' ? 'BatchMode=no' : option))
			const args = [...batch, '-o', `PreferredAuthentications=${method}`, '-o', 'NumberOfPasswordPrompts=1']
			const login = (answer: string) =>
				runChild(scope, 'ssh', [...args, '-p', String(sshd.port), `${user.name}@${sshd.host}`, 'id -un'], {
					env: { ...home.env, SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: 'force', ANSWER: answer },
				})
			expect(await login(user.password)).toMatchObject({ status: 0, stdout: `${user.name}\n` })
			expect(await login('wrong')).toMatchObject({ status: 255 })
		}
	})
})

describe('a real Chromium', () => {
	it('opens a page with WebGL, and tells what went wrong in it', async () => {
		const server = createServer((_request, response) => response.end('<title>hello</title><canvas></canvas>'))
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
		scope.defer(() => new Promise<void>((resolve) => server.close(() => resolve())))
		const address = server.address()
		const port = typeof address === 'object' && address !== null ? address.port : 0
		const person = await openPerson(scope, await launchChromium(scope))
		await person.page.goto(`http://127.0.0.1:${port}/`)
		expect(await person.page.title()).toBe('hello')
		expect(await person.page.evaluate(() => document.querySelector('canvas')?.getContext('webgl2') !== null)).toBe(true)
		await person.page.evaluate(() => console.error('planted'))
		await waitFor('the planted error', () => person.problems().includes('console: planted'))
	})
})
