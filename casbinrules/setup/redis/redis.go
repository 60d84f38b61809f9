// Package redis adds stores in Redis or Valkey to package setup: for sessions and other
// state that instances share, and for policies. Import it only for that:
//
//	import _ "github.com/sallyport-go/sallyport/casbinrules/setup/redis"
//
// A configuration file then has the kind redis below session.store and its like:
//
//	session:
//	  store: {redis: {url: "${STATE_REDIS}"}}
//
// and below policy.store, where it is the store of core/source/redis.
package redis
