/**
 * `npm start`: sets up what is missing, builds what changed, and runs relay and agent.
 *
 * This file is read by any Node from 12 on, so that an old one gets a sentence instead of a syntax error: nothing newer
 * stands here, and the rest is loaded only after the check.
 */
var version = process.versions.node.split('.')
var major = Number(version[0])
var isNewEnough = major > 20 || (major === 20 && Number(version[1]) >= 19)

if (isNewEnough) {
	import('./lib/start.mjs')
		.then(function (module) {
			return module.start(process.argv.slice(2))
		})
		.catch(function (error) {
			console.error(error)
			process.exitCode = 1
		})
} else {
	console.error(
		'Sallyport needs Node 20.19 or newer, and this is ' +
			process.versions.node +
			': install a newer one from https://nodejs.org and run npm start again.',
	)
	process.exitCode = 1
}
