import { defineConfig } from 'vitest/config'

const conditions = ['@sallyport/source', 'module', 'node', 'development|production']

export default defineConfig({
	resolve: { conditions },
	ssr: { resolve: { conditions } },
	test: {
		projects: [
			{
				extends: true,
				test: { name: 'unit', include: ['packages/*/src/**/*.test.{ts,tsx}', 'tools/**/*.test.ts'], testTimeout: 20_000 },
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
		],
	},
})
