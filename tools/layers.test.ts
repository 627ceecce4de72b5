import { describe, expect, it } from 'vitest'
import { checkLayers } from './layers.mjs'

/** A tree of one module, in a package that declares `ws`. */
function check(path: string, source: string) {
	return checkLayers({
		files: [path],
		read: (wanted) => (wanted.endsWith('package.json') ? '{"dependencies":{"ws":"8.0.0"}}' : source),
	})
}

describe('checkLayers', () => {
	it.each([
		['packages/relay/src/edge/a.ts', "import { seal } from '@sallyport/link'", 'must not be able to decrypt'],
		['packages/relay/src/edge/a.ts', "export * from '@sallyport/carrier/node'", 'must not be able to decrypt'],
		['packages/relay/src/edge/a.ts', "const link = await import('@sallyport/link')", 'must not be able to decrypt'],
		['packages/relay/src/edge/a.ts', "type Link = import('@sallyport/link').Link", 'must not be able to decrypt'],
		['packages/relay/src/edge/a.ts', "export type { Link } from '@sallyport/link'", 'must not be able to decrypt'],
		['packages/protocol/src/a.ts', "import { createHash } from 'node:crypto'", 'protocol is pure'],
		['packages/protocol/src/a.ts', "import fs from 'fs'", 'protocol is pure'],
		['packages/protocol/src/a.ts', "import ws from 'ws'", 'uses no package but valibot'],
		['packages/link/src/a.ts', "import { open } from '@sallyport/transport'", 'link is pure'],
		['packages/carrier/src/a.ts', "import { readFile } from 'node:fs/promises'", 'belong into node/'],
		['packages/carrier/src/browser/a.ts', "import { dial } from '@sallyport/transport/node'", 'does not run in node here'],
		['packages/web/src/a.tsx', "import { x } from '@sallyport/agent'", 'not on the machine reached'],
		['packages/web/src/a.tsx', "import 'node:fs'", 'belong into node/'],
		['packages/agent/src/a.ts', "import { x } from '../../relay/src/b.ts'", 'leaves the package'],
		['packages/agent/src/a.ts', "import { x } from './index.ts'", 'index.ts is for users'],
		['packages/agent/src/pty/a.ts', "export { x } from '../index.ts'", 'index.ts is for users'],
		['packages/agent/src/a.ts', "import left from 'left-pad'", 'not among the dependencies'],
		['packages/strange/src/a.ts', '', 'has no row'],
	])('refuses in %s: %s', (path, source, reason) => {
		const { problems } = check(path, source)
		expect(problems).toHaveLength(1)
		expect(problems[0]).toContain(reason)
	})

	it.each([
		['packages/relay/src/edge/a.ts', "import { CLOSE } from '@sallyport/protocol'"],
		['packages/relay/src/edge/a.ts', "import { createServer } from 'node:http'"],
		['packages/relay/src/edge/a.test.ts', "import { Clock } from '@sallyport/testkit'"],
		['packages/transport/src/node/a.ts', "import { WebSocket } from 'ws'"],
		['packages/transport/src/node/index.ts', "export * from '../index.ts'"],
		['packages/carrier/src/node/a.ts', "import { dial } from '@sallyport/transport/node'"],
		['packages/protocol/src/a.ts', "import * as v from 'valibot'"],
		['packages/protocol/src/a.test.ts', "import vectors from '../../../vectors/a.json' with { type: 'json' }"],
		['packages/relay/test/rig.ts', "import { dial } from '@sallyport/client/node'"],
		['packages/protocol/src/a.ts', "// import 'node:fs'\nconst text = \"import 'node:fs'\""],
		['packages/protocol/src/a.test.ts', "import { randomBytes } from 'node:crypto'"],
	])('allows in %s: %s', (path, source) => {
		expect(check(path, source)).toEqual({ modulesRead: 1, problems: [] })
	})

	it('names the line and counts what it read', () => {
		const report = check('packages/relay/src/a.ts', "import 'node:fs'\n\nimport { seal } from '@sallyport/link'\n")
		expect(report.modulesRead).toBe(1)
		expect(report.problems[0]).toMatch(/^packages\/relay\/src\/a\.ts:3: /)
	})

	it('does not pass over a module that it cannot parse', () => {
		expect(() => check('packages/relay/src/a.ts', 'import {')).toThrow(/does not parse/)
	})
})
