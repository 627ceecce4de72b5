import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

export default defineConfig({
	root: import.meta.dirname,
	// Relative, so that one build serves under any PUBLIC_URL path prefix.
	base: './',
	plugins: [react(), tailwindcss(), themeBeforePaint()],
	resolve: { conditions: ['@sallyport/source', 'module', 'browser', 'development|production'] },
	build: {
		outDir: 'dist',
		emptyOutDir: true,
		target: 'es2023',
		// No data: addresses: the content policy allows assets from the page's own origin alone.
		assetsInlineLimit: 0,
		chunkSizeWarningLimit: 700,
	},
})

/** A plain script of its own, before everything: module scripts run too late to spare the eye the wrong theme. */
function themeBeforePaint(): Plugin {
	return {
		name: 'theme-before-paint',
		transformIndexHtml: {
			order: 'post',
			handler: () => [{ tag: 'script', attrs: { src: './theme.js' }, injectTo: 'head-prepend' }],
		},
	}
}
