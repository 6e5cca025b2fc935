import { Failure } from '#base';

/** @throws Failure HF405 */
export async function bodyOf(request: Request): Promise<unknown> {
  try {
    return await request.json();
  } catch {
    throw new Failure('HF405', 'the body is not JSON');
  }
}
