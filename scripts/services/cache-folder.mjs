import {homedir} from 'node:os'
import {join} from 'node:path'

/** Where servers, and what they need to run, are kept between checkouts. */
export const cacheFolder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'feature-repo')
