import tseslint from 'typescript-eslint'

// Where the outside world may be touched; everywhere else the clock, the environment and the terminal are passed in.
// The SDK of AWS reads its own variables and the machine's clock; what makes its clients does as it does.
const edges = [
  'src/environment.ts',
  'src/cli/**',
  'src/commands/**',
  'src/serve/listen.ts',
  'src/aws/client-settings.ts',
]

export default tseslint.config(
  {
    ignores: [
      'dist/**',
      'node_modules/**',
      'coverage/**',
      'bench/data/**',
      'templates/**',
      'feature_repo_example/**',
    ],
  },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {project: ['./tsconfig.test.json'], tsconfigRootDir: import.meta.dirname},
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        {allowNumber: true, allowBoolean: false, allowNullish: false},
      ],
      '@typescript-eslint/no-unused-vars': ['error', {argsIgnorePattern: '^_', varsIgnorePattern: '^_'}],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        {ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true},
      ],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', {considerDefaultExhaustiveForUnions: true}],
      // A `default: return x satisfies never` is how switches are kept exhaustive here.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // Bracket access is what the compiler option noPropertyAccessFromIndexSignature asks for.
      '@typescript-eslint/dot-notation': 'off',
      eqeqeq: 'error',
      'max-lines': ['error', {max: 600}],
    },
  },
  {
    files: ['src/**'],
    ignores: edges,
    rules: {
      'no-restricted-globals': ['error', 'process', 'console'],
      'no-restricted-properties': [
        'error',
        {object: 'Date', property: 'now', message: 'Take the time as an argument.'},
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: "NewExpression[callee.name='Date'][arguments.length=0]",
          message: 'Take the time as an argument.',
        },
      ],
    },
  },
  {
    files: ['test/**', 'bench/**'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
    },
  },
  {files: ['**/*.js', '**/*.mjs', '**/*.cjs'], ...tseslint.configs.disableTypeChecked},
)
