import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { scriptPath } from '../build-id.ts'

/** The built page lies beside the command in a checkout and in a package; without one the relay serves none. */
export function findPageDirectory(): string | undefined {
	const folder = dirname(scriptPath())
	return [join(folder, 'page'), join(folder, '../../web/dist')].find((path) => existsSync(join(path, 'index.html')))
}
