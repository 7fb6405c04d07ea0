/**
 * How values of text files are read. `sniffed`: with types that the engine finds in the first thousands of rows, enough
 * to describe them. `exact`: as text, to be read as a view declares them, value by value; types guessed from the first
 * rows would fail at the first odd value, and round numbers. `typed`: for SQL, which expects types: those that hold
 * every value.
 */
export type SourceForm = 'sniffed' | 'typed' | 'exact'
