/** What the stack of the aws template promises, as far as its text can show it. */
import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, test} from 'vitest'
import {Stack, type Known} from '../support/aws-template/stack.js'
import {projectRoot} from '../support/run-fs.js'

const folder = join(projectRoot, 'templates/aws')
const stack = new Stack(join(folder, 'infra/stack.yaml'))

interface Statement {
  readonly Effect: string
  readonly Action: string | readonly string[]
  readonly Resource: unknown
  readonly Principal?: unknown
  readonly Condition?: unknown
}

/** All objects in a part of the template that have a key. */
function withKey(node: unknown, key: string): readonly Readonly<Record<string, unknown>>[] {
  if (typeof node !== 'object' || node === null) return []
  const inside = Object.values(node).flatMap((value) => withKey(value, key))
  return key in node ? [node as Readonly<Record<string, unknown>>, ...inside] : inside
}

const list = (value: string | readonly string[]): readonly string[] =>
  typeof value === 'string' ? [value] : value

describe('the stack', () => {
  test('has no way to or from the internet', () => {
    const types = new Set(Object.values(stack.resources).map(({Type}) => Type))
    for (const way of ['InternetGateway', 'NatGateway', 'EIP', 'EgressOnlyInternetGateway', 'Route'])
      expect([...types]).not.toContain(`AWS::EC2::${way}`)
    const publicly = withKey(stack.resources, 'PubliclyAccessible')
    expect(publicly.map((one) => one['PubliclyAccessible'])).toEqual([false])
    const addresses = withKey(stack.resources, 'AssignPublicIp')
    expect(addresses.map((one) => one['AssignPublicIp'])).toEqual(['DISABLED'])
    const open = withKey(stack.resources, 'SecurityGroupIngress')
    expect(open).toHaveLength(2)
    for (const {SecurityGroupIngress: rules} of open)
      for (const rule of rules as readonly object[]) {
        expect(rule).not.toHaveProperty('CidrIp')
        expect(rule).toHaveProperty('SourceSecurityGroupId')
      }
    const [bucket] = withKey(stack.resources, 'PublicAccessBlockConfiguration')
    const blocked = Object.values(bucket?.['PublicAccessBlockConfiguration'] as object)
    expect(blocked).toEqual([true, true, true, true])
  })

  test('encrypts by its own key whatever rests in it, and what travels', () => {
    const encrypted: Readonly<Record<string, string>> = {
      'AWS::S3::Bucket': 'KMSMasterKeyID',
      'AWS::RedshiftServerless::Namespace': 'KmsKeyId',
      'AWS::ElastiCache::ReplicationGroup': 'KmsKeyId',
      'AWS::SecretsManager::Secret': 'KmsKeyId',
      'AWS::Logs::LogGroup': 'KmsKeyId',
      'AWS::ECR::Repository': 'KmsKey',
      'AWS::SNS::Topic': 'KmsMasterKeyId',
    }
    for (const [type, property] of Object.entries(encrypted)) {
      const resources = stack.ofType(type)
      expect(resources.length, type).toBeGreaterThan(0)
      for (const [name, resource] of resources) {
        const keys = withKey(resource, property).map((one) => stack.resolve(one[property], keysOnly))
        expect(keys, name).toEqual(['the key'])
      }
    }
    const [[, redis] = []] = stack.ofType('AWS::ElastiCache::ReplicationGroup')
    expect(redis?.Properties).toMatchObject({
      TransitEncryptionEnabled: true,
      TransitEncryptionMode: 'required',
      AtRestEncryptionEnabled: true,
    })
    const [[, key] = []] = stack.ofType('AWS::KMS::Key')
    expect(key?.Properties).toMatchObject({EnableKeyRotation: true})
  })

  test('knows no password: each is made at random and read from where it is kept', () => {
    for (const name of Object.keys(stack.parameters)) expect(name).not.toMatch(/password|secret|token/i)
    for (const [name, {Properties}] of stack.ofType('AWS::SecretsManager::Secret')) {
      expect(Properties, name).not.toHaveProperty('SecretString')
      expect(Properties, name).toHaveProperty('GenerateSecretString.PasswordLength', 64)
    }
    const passwords = [
      ...withKey(stack.resources, 'AdminUserPassword').map((one) => one['AdminUserPassword']),
      ...withKey(stack.resources, 'Passwords').flatMap((one) => one['Passwords'] as readonly unknown[]),
    ]
    expect(passwords).toHaveLength(2)
    for (const password of passwords)
      expect(JSON.stringify(password)).toMatch(/\{\{resolve:secretsmanager:\$\{\w+\}:SecretString/)
  })

  test('lets EventBridge tell of failures: its messages to a topic meet no condition', () => {
    const told = withKey(stack.resources, 'Principal').filter((statement) =>
      JSON.stringify(statement['Principal']).includes('events.amazonaws.com'),
    )
    expect(told).toHaveLength(2)
    for (const statement of told) expect(statement).not.toHaveProperty('Condition')
  })

  test('gives roles named rights on named resources', () => {
    const policies = ['AWS::IAM::Role', 'AWS::IAM::ManagedPolicy'].flatMap((type) => stack.ofType(type))
    expect(policies).toHaveLength(5)
    for (const [name, {Properties}] of policies) {
      const {AssumeRolePolicyDocument: _, ...rights} = Properties ?? {}
      const statements = withKey(rights, 'Effect') as unknown as readonly Statement[]
      expect(statements.length, name).toBeGreaterThan(0)
      for (const statement of statements) {
        for (const action of list(statement.Action)) expect(action, name).not.toContain('*')
        if (statement.Resource !== '*') continue
        // These have no resources to name; the statements of others are kept apart by a condition.
        const known = /^(ecr:GetAuthorizationToken|ec2:Describe\w+|redshift-data:\w+)$/
        for (const action of list(statement.Action)) expect(action, name).toMatch(known)
        if (list(statement.Action).some((action) => action.startsWith('redshift-data')))
          expect(statement.Condition).toEqual({
            StringEquals: {'redshift-data:statement-owner-iam-userid': '${aws:userid}'},
          })
      }
    }
  })

  test.each(['redis', 'keyspaces'])('with %s tells every variable that the repo asks for', (onlineStore) => {
    const text = readFileSync(join(folder, 'feature_store.yaml'), 'utf8')
    const [offline = '', keyspaces = ''] = text.split('# Or Amazon Keyspaces')
    const [rest = ''] = offline.split('# ElastiCache')
    const used = variables(onlineStore === 'redis' ? offline : rest + keyspaces)
    const known: Known = new Proxy<Record<string, string>>(
      {OnlineStore: onlineStore},
      {get: (target, name) => target[String(name)] ?? 'known'},
    )
    const output = stack.resolve(stack.outputs['Environment']?.Value, known)
    const told = [...String(output).matchAll(/(\w+)=/g)].map((match) => match[1])
    expect(told).toEqual(expect.arrayContaining(used.filter((name) => name !== 'FS_REDIS_PASSWORD')))
    expect(told).not.toContain('FS_REDIS_PASSWORD')
    const [[, task] = []] = stack.ofType('AWS::ECS::TaskDefinition')
    const {ContainerDefinitions} = stack.resolve(task?.Properties, known) as {
      readonly ContainerDefinitions: readonly Readonly<Record<string, readonly {Name: string}[]>>[]
    }
    const [{Environment = [], Secrets = []} = {}] = ContainerDefinitions
    expect([...Environment, ...Secrets].map(({Name}) => Name).toSorted()).toEqual(used.toSorted())
    // The rest is for whoever loads the example's data.
    const script = variables(readFileSync(join(folder, 'infra/load.sh'), 'utf8').split('\ncd ')[0] ?? '')
    expect(told).toEqual(expect.arrayContaining(script))
  })
})

const keysOnly: Known = {Key: 'the key', 'Key.Arn': 'the key'}

function variables(text: string): string[] {
  return [...new Set([...text.matchAll(/\$\{(\w+)/g)].map((match) => match[1] ?? ''))]
}
