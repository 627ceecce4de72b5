import { defineConfig } from 'vitest/config'

/** Tests and what they import run from source, never from an older build. */
const conditions = ['@sallyport/source', 'module', 'node', 'development|production']

export default defineConfig({
	resolve: { conditions },
	ssr: { resolve: { conditions } },
	test: {
		passWithNoTests: false,
		projects: [
			{
				extends: true,
				test: {
					name: 'unit',
					include: ['packages/*/src/**/*.test.{ts,tsx}', 'tools/**/*.test.ts', 'bench/**/*.test.ts', 'fuzz/**/*.test.ts'],
					testTimeout: 20_000,
				},
			},
			{
				extends: true,
				test: {
					name: 'e2e',
					include: ['test/e2e/**/*.test.ts'],
					testTimeout: 90_000,
					hookTimeout: 90_000,
					fileParallelism: false,
				},
			},
			{
				extends: true,
				test: {
					name: 'long',
					include: ['test/long/**/*.test.ts'],
					testTimeout: 30 * 60_000,
					hookTimeout: 120_000,
					fileParallelism: false,
				},
			},
		],
	},
})
