import { urlFrom } from '#base';
import { type Message, plainLines } from '../message.ts';
import type { NotifierHow } from '../settings.ts';
import { deliveryOf, type NotifierPorts, type Send } from './notifier.ts';

const colours = {
  page: 'attention',
  updated: 'attention',
  acknowledged: 'warning',
  resolved: 'good',
  test: 'default',
};

/** A Workflows webhook of Microsoft Teams: a message with one adaptive card. */
export function teams({ url }: NotifierHow & { kind: 'teams' }, { post, secret }: NotifierPorts): Send {
  return async (message, signal) => {
    const headers = { 'content-type': 'application/json' };
    return deliveryOf(
      await post({ url: urlFrom(url, secret), headers, body: JSON.stringify(teamsBody(message)) }, signal),
    );
  };
}

export function teamsBody(message: Message) {
  const line = (text: string) => ({ type: 'TextBlock', text: plain(text), wrap: true });
  return {
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
          body: [
            { ...line(message.title), weight: 'bolder', size: 'medium', color: colours[message.what] },
            ...plainLines(message).map(line),
          ],
        },
      },
    ],
  };
}

/** Cards read a little Markdown: what came from outside is text. */
function plain(text: string): string {
  return text.replace(/[[\]*_`~<>\\]/g, (mark) => `\\${mark}`);
}
