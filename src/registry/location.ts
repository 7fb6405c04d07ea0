/** Where a registry is, as feature_store.yaml names it: a path, or a URL whose scheme tells the driver. */

/** In lower case; undefined for a path. */
export function schemeOf(location: string): string | undefined {
  return /^([a-z][a-z0-9+.-]+):\/\//i.exec(location)?.[1]?.toLowerCase()
}

/** As it may be shown: without a password. */
export function shownLocation(location: string): string {
  return (
    location
      // A password may hold what should be written by percent: all up to the last @ before the query counts.
      .replace(/^([a-z][a-z0-9+.-]+:\/\/[^:@/?]*):[^?]*@/i, '$1@')
      .replace(/([?&](?:ssl)?password=)[^&]*/gi, '$1…')
  )
}
