/** Every screen once, on a desk in the light, and the main ones on a phone in the dark; all looks of all are in test/long. */
import { beforeAll, describe, expect, it } from 'vitest'
import { useScope } from './harness/index.ts'
import { createLooker, DESK_LIGHT, type Looker, PHONE_DARK } from './web-looks.ts'
import { SCENES } from './web-scenes.ts'

const ON_A_PHONE = ['setup', 'first-run-invite', 'sign-in', 'machines', 'machine-details', 'terminal', 'add-machine', 'devices']
const WALKED = new Set(['setup', 'sign-in', 'machines', 'machine-details', 'terminal', 'add-machine', 'devices'])

const scope = useScope()
let looker: Looker

beforeAll(async () => {
	looker = await createLooker(scope)
})

describe('on a desk in the light', { concurrent: true }, () => {
	it.each(SCENES.map((scene) => ({ name: scene.name, scene })))('$name can be read, and used by all', async ({ scene }) => {
		await looker.check(scene, DESK_LIGHT, WALKED.has(scene.name))
	})
})

describe('on a phone in the dark', { concurrent: true }, () => {
	it.each(ON_A_PHONE)('%s can be read, and fits', async (name) => {
		const scene = SCENES.find((one) => one.name === name)
		expect(scene).toBeDefined()
		if (scene !== undefined) await looker.check(scene, PHONE_DARK)
	})
})
