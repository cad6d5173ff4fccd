# The task for jq.
def amount($value; $unit):
  {ml: ["mL", "mL"], mg: ["mg", "mg"], tab: ["tablet", "{tbl}"]}[$unit] as [$name, $code]
  | {value: $value, unit: $name, system: "http://unitsofmeasure.org", code: $code};
def named($system; $value; $display): {identifier: {system: $system, value: $value}, display: $display};

. as $rx
| {INST: ["instalment", "Instalment dispensing"], ACUTE: ["acute", "Acute"]}[.rx_kind] as [$kind, $words]
| {start: .start_date, end: .end_date} as $dates
| {
    resourceType: "MedicationRequest",
    id: .rx_id,
    identifier: [{system: "https://example.org/ost/rx-id", value: .rx_id}],
    status: ({A: "active", H: "on-hold", C: "cancelled", S: "stopped", D: "completed"}[.rx_status]),
    intent: "order",
    category: [{coding: [{system: "https://example.org/ost/rx-kind", code: $kind, display: $words}]}],
    medicationCodeableConcept: {
      coding: [{system: "https://dmd.nhs.uk", code: .drug_code, display: .drug_name}],
      text: .drug_name
    },
    subject: named("https://fhir.nhs.uk/Id/nhs-number"; .nhs_number; .patient_name),
    authoredOn: .written_on,
    requester: named("https://example.org/ost/prescriber"; .prescriber_id; .prescriber_name),
    dosageInstruction: [
      {
        sequence: 1,
        text: .dose_text,
        timing: {repeat: {
          boundsPeriod: $dates,
          frequency: .freq_count,
          period: .freq_period,
          periodUnit: ({day: "d", week: "wk", hour: "h"}[.freq_unit])
        }},
        route: {coding: [{system: "http://snomed.info/sct", code: .route_code, display: .route_name}]},
        doseAndRate: [{doseQuantity: amount(.dose_qty; .dose_unit)}]
      }
      | if $rx.supervised == "Y" then .additionalInstruction = [{text: "Supervised consumption"}] else . end
    ],
    dispenseRequest: {
      validityPeriod: $dates,
      numberOfRepeatsAllowed: .repeats,
      quantity: amount(.total_qty; .total_unit),
      expectedSupplyDuration: {value: .days_supply, unit: "days", system: "http://unitsofmeasure.org", code: "d"},
      performer: {identifier: {system: "https://fhir.nhs.uk/Id/ods-organization-code", value: .pharmacy_ods}}
    }
  }
| if $rx.note then .note = [{text: $rx.note}] else . end
