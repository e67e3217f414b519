/** Where a row, a lane or a name leads. What is chosen goes along, and a name is escaped. */
import { links } from '../../alerts/links.ts';
import { uids } from './dashboard.ts';
import type { DataLink } from './panels.ts';

const chosen = '${datasource:queryparam}&${job:queryparam}';

/** The forensics of the machine in this column, over the time that is looked at. */
export function forensicsOf(column: string): DataLink {
  return {
    title: 'What happened there?',
    url: `/d/${uids.freeze}?${chosen}&var-host=\${__data.fields["${column}"]:percentencode}&\${__url_time_range}`,
  };
}

/** The forensics of the machine whose lane this is: the hour around when the state that was clicked began. */
export const forensicsAround: DataLink = {
  title: 'What happened here?',
  url: `/d/${uids.freeze}?${chosen}&var-host=\${__field.labels.host:percentencode}&time=\${__value.time}&time.window=3600000`,
};

/** The forensics of what is chosen: the hour around when the state that was clicked began. */
export const forensicsThen: DataLink = {
  title: 'What happened then?',
  url: `/d/${uids.freeze}?${chosen}&\${host:queryparam}&time=\${__value.time}&time.window=3600000`,
};

/** From a row that is no machine: the forensics of what is chosen, over the time that is looked at. */
export const forensicsOfChosen: DataLink = {
  title: 'Us or the host?',
  url: `/d/${uids.freeze}?${chosen}&\${host:queryparam}&\${__url_time_range}`,
};

/** From a page of days to the machine in this column, as it is now. */
export function overviewOf(column: string): DataLink {
  return {
    title: 'How is it now?',
    url: `/d/${uids.overview}?${chosen}&var-host=\${__data.fields["${column}"]:percentencode}`,
  };
}

/** The machines of the provider in this cell, over the time that is looked at. */
export const comparisonOfProvider: DataLink = {
  title: 'Only this provider',
  url: `/d/${uids.compare}?${chosen}&var-provider=\${__value.text:percentencode}&\${__url_time_range}`,
};

/** What to do about the alert in this cell. */
export const runbook: DataLink = {
  title: 'What to type first',
  url: `${links.runbooks}\${__value.text:percentencode}.md`,
};
