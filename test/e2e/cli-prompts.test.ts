import { beforeAll, describe, expect, it } from 'vitest'
import { createWorld, OWNER, startInPty, type World } from './cli-world.ts'
import { createHome, type Home, sally, startSally, useScope } from './harness/index.ts'

const scope = useScope()
let world: World
let home: Home

beforeAll(async () => {
	world = await createWorld(scope)
	home = createHome(scope, 'person')
})

const whoami = () => sally(scope, home, ['whoami'])

describe('a person at a terminal', () => {
	it('gives up a password by Ctrl+C, and nothing is kept', async () => {
		const login = startInPty(scope, home, ['login', world.up.origin])
		await login.waitForOutput(/E-mail: /)
		login.write(`${OWNER.email}\r`)
		await login.waitForOutput(/Password: /)
		login.write('half\x03')
		expect(await login.exited).toBe(130)
		expect(login.output()).not.toContain('half')
		expect(await whoami()).toMatchObject({ status: 3 })
	})

	it('signs in, corrects what was mistyped, and the password shows nowhere', async () => {
		const login = startInPty(scope, home, ['login', world.up.origin])
		await login.waitForOutput(/E-mail: /)
		login.write(`${OWNER.email}xy\x7f\x7f\r`)
		await login.waitForOutput(/Password: /)
		login.write(`${OWNER.password}z\x7f\r`)
		expect(await login.exited).toBe(0)
		expect(login.output()).toContain('signed in')
		expect(login.output()).not.toContain(OWNER.password)
		expect(await whoami()).toMatchObject({ status: 0 })
	})

	it.each([
		['nothing', '\r'],
		['no', 'n\r'],
		['something else', 'yellow\r'],
	])('is not joined to a relay by answering %s', async (_name, typed) => {
		const adding = startSally(scope, world.laptop, ['add'])
		const [, text = ''] = await adding.waitForOutput(/sally agent join (\S+)/)
		const machine = createHome(scope, `declined-${typed.length}-${typed.charCodeAt(0)}`)
		const joining = startInPty(scope, machine, ['agent', 'join', '--no-start', text])
		await joining.waitForOutput(/Join\? \[y\/N\] /)
		expect(joining.output()).toContain(OWNER.username)
		joining.write(typed)
		expect(await joining.exited).toBe(1)
		// The line was not spent by it.
		expect(await sally(scope, machine, ['agent', 'join', '--yes', '--no-start', text])).toMatchObject({ status: 0 })
		adding.kill('SIGKILL')
	})

	it('withdraws a join line by Ctrl+C, at the relay too', async () => {
		const adding = startInPty(scope, world.laptop, ['add'])
		await adding.waitForOutput(/Ctrl\+C withdraws/)
		const [, text = ''] =
			adding
				.output()
				.replace(/\r\n/g, '\n')
				.match(/sally agent join (\S+)/) ?? []
		adding.write('\x03')
		expect(await adding.exited).toBe(130)
		expect(adding.output()).toContain('the line is withdrawn')
		const late = await sally(scope, createHome(scope, 'late'), ['agent', 'join', '--yes', '--no-start', text])
		expect(late.status).toBe(1)
		// It is whole, and refused by the relay.
		expect(late.stderr).not.toContain('copy all of it')
	})
})
