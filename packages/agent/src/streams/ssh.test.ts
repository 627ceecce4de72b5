import { chmod, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClientLink, InboundStreamMessage, LinkStream } from '@sallyport/carrier'
import type { HostKeyNotice, LoginPrompt } from '@sallyport/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestSshd } from '../testing/sshd.fixture.ts'
import { Collected, newDevice, World } from '../testing/world.fixture.ts'

type Reply = { readonly answers: string[] } | { readonly private_key: { readonly key: string; readonly passphrase?: string } }

let sshd: TestSshd
let world: World
let link: ClientLink

describe.runIf(process.getuid?.() === 0)('ssh', () => {
	beforeAll(async () => {
		const folder = await mkdtemp(join(tmpdir(), 'sally-sshd-'))
		// The server reads the keys as their user.
		await chmod(folder, 0o755)
		sshd = await TestSshd.start(join(folder, 'home'))
		world = await World.make({ config: { sshPort: sshd.port } })
		link = await world.pair(newDevice())
	})
	afterAll(async () => {
		await world.close()
		await sshd.stop()
	})

	/** Opens an SSH terminal and answers its questions in turn. */
	function login(user: string | undefined, replies: (Reply | ((prompt: LoginPrompt) => Reply))[]) {
		const prompts: LoginPrompt[] = []
		const hostKeys: HostKeyNotice[] = []
		const { stream, opened } = link.openStream({
			kind: 'ssh',
			class: 'interactive',
			cols: 80,
			rows: 24,
			...(user === undefined ? {} : { user }),
		})
		const output = new Collected(stream, {
			onMessage: (message: InboundStreamMessage) => {
				if (message.op === 'host_key') hostKeys.push(message)
				if (message.op !== 'login_prompt') return
				prompts.push(message)
				const reply = replies[prompts.length - 1]
				if (reply !== undefined) answer(stream, message, typeof reply === 'function' ? reply(message) : reply)
			},
		})
		return { stream, output, prompts, hostKeys, opened }
	}

	function answer(stream: LinkStream, prompt: LoginPrompt, reply: Reply): void {
		stream.send({ op: 'login_answer', prompt_id: prompt.prompt_id, ...reply })
	}

	it('asks for name and password, asks again after a wrong one, shows the new host key, and gives a terminal', async () => {
		const { stream, output, prompts, hostKeys, opened } = login(undefined, [
			{ answers: [sshd.user] },
			{ answers: ['wrong'] },
			{ answers: [sshd.password] },
		])
		stream.send({ op: 'resize', cols: 120, rows: 40 })
		const { terminalId } = await opened
		stream.write(Buffer.from('whoami; stty size; exit 4\n'))
		await output.until(() => output.isEnded)
		expect(prompts.map((prompt) => prompt.kind)).toEqual(['username', 'password', 'password'])
		expect(prompts[1]).toMatchObject({ methods: ['password', 'public_key'], prompts: [{ echo: false }] })
		expect(prompts[2]?.error).toMatch(/did not accept that password/)
		expect(hostKeys).toMatchObject([{ state: 'new', fingerprint: sshd.fingerprint, key_type: 'ssh-ed25519', port: sshd.port }])
		expect(output.text()).toContain(sshd.user)
		expect(output.text()).toContain('40 120')
		expect(output.exits).toMatchObject([{ status: 4 }])
		expect(terminalId).toBeDefined()
	})

	it('knows the host afterwards, and is a terminal that can be attached again', async () => {
		const { stream, output, hostKeys, opened } = login(sshd.user, [{ answers: [sshd.password] }])
		const { terminalId = '' } = await opened
		stream.write(Buffer.from('X=still; echo first-$((1 + 1))\n'))
		await output.until(() => output.text().includes('first-2'))
		expect(hostKeys).toMatchObject([{ state: 'known' }])
		stream.reset('cancelled')
		const listed = await link.request({ op: 'list_terminals' })
		const found = listed.op === 'terminals' ? listed.terminals.find((terminal) => terminal.terminal_id === terminalId) : undefined
		if (found === undefined) throw new Error('the terminal is listed')
		expect(found.kind).toBe('ssh')
		const again = new Collected(
			link.openStream({ kind: 'attach', class: 'interactive', cols: 80, rows: 24, terminal_id: found.terminal_id }).stream,
		)
		await again.until(() => again.text().includes('first-2'))
		again.stream.write(Buffer.from('echo "$X here"; exit\n'))
		await again.until(() => again.isEnded)
		expect(again.text()).toContain('still here')
	})

	it('takes a private key, and asks for its passphrase until it fits', async () => {
		const plain = login(sshd.user, [{ private_key: { key: sshd.key } }])
		plain.stream.write(Buffer.from('echo by-$((2 * 2))-key; exit\n'))
		await plain.output.until(() => plain.output.isEnded)
		expect(plain.output.text()).toContain('by-4-key')
		const locked = login(sshd.user, [
			{ private_key: { key: sshd.lockedKey } },
			{ answers: ['wrong'] },
			{ answers: [sshd.passphrase] },
		])
		locked.stream.write(Buffer.from('echo by-$((3 * 3))-key; exit\n'))
		await locked.output.until(() => locked.output.isEnded)
		expect(locked.prompts.map((prompt) => prompt.kind)).toEqual(['password', 'passphrase', 'passphrase'])
		expect(locked.prompts[2]?.error).toMatch(/passphrase is wrong/)
		expect(locked.output.text()).toContain('by-9-key')
	})

	it('asks again for what is no key at all', async () => {
		const { stream, output, prompts } = login(sshd.user, [
			{ private_key: { key: 'no key' } },
			{ answers: [] },
			{ private_key: { key: sshd.key } },
		])
		await output.until(() => prompts.length === 2)
		expect(prompts[1]?.error).toMatch(/not a private key/)
		stream.reset('cancelled')
	})

	it('gives up after three wrong passwords, in words', async () => {
		const { output, prompts } = login(sshd.user, [{ answers: ['a'] }, { answers: ['b'] }, { answers: ['c'] }])
		await output.until(() => output.reset !== undefined)
		expect(output.reset).toMatchObject({ code: 'auth_failed', message: expect.stringMatching(/refused the login 3 times/) })
		expect(prompts).toHaveLength(3)
	})

	it('follows keyboard-interactive, where the server asks its own questions', async () => {
		await sshd.halt()
		await sshd.run(['PasswordAuthentication no', 'KbdInteractiveAuthentication yes'])
		const { stream, output, prompts } = login(sshd.user, [{ answers: ['wrong'] }, { answers: [sshd.password] }])
		stream.write(Buffer.from('echo kbd-$((5 + 5)); exit\n'))
		await output.until(() => output.isEnded || output.reset !== undefined)
		expect(prompts[0]).toMatchObject({
			kind: 'keyboard_interactive',
			prompts: [{ text: expect.stringMatching(/[Pp]assword/), echo: false }],
		})
		expect(output.text()).toContain('kbd-10')
		await sshd.halt()
		await sshd.run()
	})

	it('refuses a changed host key with both fingerprints, before any credential is asked', async () => {
		const before = sshd.fingerprint
		await sshd.halt()
		sshd.newHostKey()
		await sshd.run()
		const { output, prompts, hostKeys } = login(sshd.user, [])
		await output.until(() => output.reset !== undefined)
		expect(output.reset).toMatchObject({ code: 'host_key_changed' })
		expect(output.reset?.message).toContain(before)
		expect(output.reset?.message).toContain(sshd.fingerprint)
		expect(hostKeys).toMatchObject([{ state: 'changed', pinned_fingerprint: before, fingerprint: sshd.fingerprint }])
		expect(prompts).toEqual([])
	})
})
