/** Every screen of the page in every look, and each walked by keyboard alone. */
import { beforeAll, describe, it } from 'vitest'
import { useScope } from '../e2e/harness/index.ts'
import { createLooker, DESK_DARK, DESK_LIGHT, type Looker, PHONE_DARK, PHONE_LIGHT } from '../e2e/web-looks.ts'
import { SCENES } from '../e2e/web-scenes.ts'

const scope = useScope()
let looker: Looker

beforeAll(async () => {
	looker = await createLooker(scope)
})

describe.each([DESK_LIGHT, DESK_DARK, PHONE_LIGHT, PHONE_DARK])('in $theme at $width px', (look) => {
	it.each(SCENES.map((scene) => ({ name: scene.name, scene })))(
		'$name can be read, and walked by keyboard',
		({ scene }) => looker.check(scene, look, look === DESK_LIGHT),
		90_000,
	)
})
