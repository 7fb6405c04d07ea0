// What is known about someone's credit, and what the scoring model reads. Every builder takes what YAML takes, in
// camelCase, and your editor knows the names. `fs` compiles this file itself; nothing needs to be built.
import {entity, featureService, featureView} from 'feature-repo'
import {creditReports} from './sources.js'

/** A person, by date of birth and the last four digits of the social security number. */
export const dobSsn = entity({name: 'dob_ssn', joinKeys: [{name: 'dob_ssn', valueType: 'string'}]})

export const creditHistory = featureView({
  name: 'credit_history',
  entities: [dobSsn],
  source: creditReports,
  // A report that is older than this counts as missing, in training and online alike.
  ttl: '90d',
  schema: [
    {name: 'credit_card_due', valueType: 'int64', description: 'Dollars'},
    {name: 'mortgage_due', valueType: 'int64', description: 'Dollars'},
    {name: 'student_loan_due', valueType: 'int64', description: 'Dollars'},
    {name: 'vehicle_loan_due', valueType: 'int64', description: 'Dollars'},
    {name: 'hard_pulls', valueType: 'int64', description: 'Times that a lender asked for the report'},
    {name: 'missed_payments_2y', valueType: 'int64'},
    {name: 'missed_payments_1y', valueType: 'int64'},
    {name: 'missed_payments_6m', valueType: 'int64'},
    {name: 'bankruptcies', valueType: 'int64'},
  ],
})

/** What the model reads. Training and serving name this service, so they can't drift apart. */
export const creditScoring = featureService({
  name: 'credit_scoring',
  // A view of this file by its constant, one that YAML defines by its name.
  features: [creditHistory, 'zipcode_features'],
})
