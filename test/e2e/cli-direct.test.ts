import { beforeAll, describe, expect, it } from 'vitest'
import { startInPty } from './cli-world.ts'
import { type Child, createHome, type Home, sally, startSally, useScope, waitFor } from './harness/index.ts'

const scope = useScope()
let machine: Home
let laptop: Home
let address: string
let window: Child

interface Status {
	readonly nodeId: string
	readonly fingerprint: string
	readonly name: string
	readonly listener: { readonly port: number }
	readonly pairingRequest?: { readonly fingerprint: string; readonly user: string }
	readonly links: readonly { readonly via: string }[]
}

const onMachine = (args: readonly string[]) => sally(scope, machine, ['agent', ...args])
const onLaptop = (args: readonly string[]) => sally(scope, laptop, args)
const status = async (): Promise<Status> => JSON.parse((await onMachine(['status', '--json'])).stdout) as Status

beforeAll(async () => {
	machine = createHome(scope, 'machine')
	laptop = createHome(scope, 'laptop')
	startSally(scope, machine, ['agent', 'start'], { PORT: '0', NODE_NAME: 'box' })
	const { listener } = await waitFor('the agent to listen', async () => {
		const ran = await onMachine(['status', '--json'])
		return ran.status === 0 && (JSON.parse(ran.stdout) as Status)
	})
	address = `127.0.0.1:${listener.port}`
})

describe('without any relay or sign-in', () => {
	it('a machine lets nobody ask while it holds no window open', async () => {
		const asking = startInPty(scope, laptop, ['pair', '--direct', address])
		expect(await asking.exited).toBe(6)
		expect(asking.output()).toMatch(/sally agent pair/)
	})

	it('it is paired by the digits that go both ways', async () => {
		window = startSally(scope, machine, ['agent', 'pair'])
		await waitFor('the address to be told', () => window.stderr().includes(`sally pair --direct ${address}`))
		const asking = startInPty(scope, laptop, ['pair', '--direct', address])
		const [, digits = ''] = await asking.waitForOutput(/approve (\d{6})/)
		const [, shown] = await asking.waitForOutput(/this fingerprint: ([a-z2-7-]{19})\r/)
		const { pairingRequest, fingerprint } = await status()
		expect(pairingRequest).toMatchObject({ fingerprint: shown, user: 'local' })
		expect(asking.output()).toContain(`key ${fingerprint}`)
		const approved = await onMachine(['approve', '--yes', digits])
		await asking.waitForOutput(/four digits/)
		asking.write(`${approved.stdout.trim()}\r`)
		expect(await asking.exited).toBe(0)
		window.kill('SIGINT')
		expect(await window.exited).toEqual({ status: 0, signal: null })
	})

	it('programs and terminals run on it, by name or id, with the window closed again', async () => {
		const { nodeId, name } = await status()
		for (const node of [name, nodeId]) {
			const ran = await onLaptop(['exec', '--direct', address, node, '--', 'sh', '-c', 'echo out; exit 7'])
			expect(ran).toMatchObject({ status: 7, stdout: 'out\n' })
		}
		const shell = startInPty(scope, laptop, ['shell', '--direct', address, name])
		shell.write('echo via-$((40 + 2))\r')
		await shell.waitForOutput(/via-42/)
		expect((await status()).links).toEqual([expect.objectContaining({ via: 'direct' })])
		shell.write('exit 3\r')
		expect(await shell.exited).toBe(3)
	})

	it('an unknown name, another machine and no machine are told apart', async () => {
		expect(await onLaptop(['exec', '--direct', address, 'other', '--', 'true'])).toMatchObject({ status: 255 })
		const second = createHome(scope, 'second')
		startSally(scope, second, ['agent', 'start'], { PORT: '0', NODE_NAME: 'second' })
		const { listener } = await waitFor('the second agent to listen', async () => {
			const ran = await sally(scope, second, ['agent', 'status', '--json'])
			return ran.status === 0 && (JSON.parse(ran.stdout) as Status)
		})
		const { name } = await status()
		const other = await onLaptop(['exec', '--direct', `127.0.0.1:${listener.port}`, name, '--', 'true'])
		expect(other).toMatchObject({ status: 255, stderr: expect.stringContaining('another machine answers') })
		const none = await onLaptop(['exec', '--direct', '127.0.0.1:1', name, '--', 'true'])
		expect(none).toMatchObject({ status: 255, stderr: expect.stringContaining('nothing listens there') })
	})

	it('a pairing is dropped and made anew', async () => {
		const { name } = await status()
		expect(await onLaptop(['pair', '--direct', address])).toMatchObject({ stderr: expect.stringContaining('already') })
		expect(await onLaptop(['pair', '--forget', name])).toMatchObject({ status: 0 })
		window = startSally(scope, machine, ['agent', 'pair'])
		await waitFor('the address to be told', () => window.stderr().includes(`sally pair --direct ${address}`))
		const asking = startInPty(scope, laptop, ['pair', '--direct', address])
		const [, digits = ''] = await asking.waitForOutput(/approve (\d{6})/)
		const approved = await onMachine(['approve', '--yes', digits])
		await asking.waitForOutput(/four digits/)
		asking.write(`${approved.stdout.trim()}\r`)
		expect(await asking.exited).toBe(0)
		window.kill('SIGINT')
		await window.exited
	})

	it('a revoked computer is out', async () => {
		expect(await onMachine(['revoke', '--all'])).toMatchObject({ status: 0 })
		const { name } = await status()
		const refused = await onLaptop(['exec', '--direct', address, name, '--', 'true'])
		expect(refused.status).toBe(255)
		expect(refused.stderr).toContain('revoked at the machine')
		// Said inside the link by the machine itself: the pairing is dropped here too.
		expect(await onLaptop(['pair', '--forget', name])).toMatchObject({ status: 4 })
	})
})
