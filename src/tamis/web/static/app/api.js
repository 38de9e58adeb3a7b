// Requests to the server: JSON in and out, one kind of error.

/** What the server refused, or that it could not be reached. */
export class ApiError extends Error {
  /**
   * @param {number} status HTTP status; 0 where there was no answer
   * @param {string} code what it is, for programs
   * @param {string} message what happened, for people
   * @param {string | null} hint what to do
   */
  constructor(status, code, message, hint) {
    super(message);
    this.status = status;
    this.code = code;
    this.hint = hint;
  }
}

/**
 * @param {string} address
 * @param {RequestInit} [options]
 * @returns {Promise<Response>}
 */
export async function request(address, options = {}) {
  let response;
  try {
    response = await fetch(address, options);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "unreachable", "The server does not answer.", "Is `tamis serve` still running? Start it again, then reload.");
  }
  if (!response.ok) throw await refused(response);
  return response;
}

/** @param {Response} response */
async function refused(response) {
  const text = await response.text();
  try {
    const body = JSON.parse(text), error = body.error ?? body;
    return new ApiError(response.status, error.code ?? "", error.message ?? text, error.hint ?? null);
  } catch {
    return new ApiError(response.status, "", `The server answered ${response.status}.`, null);
  }
}

/**
 * @param {string} address
 * @param {RequestInit} [options]
 * @returns {Promise<any>}
 */
export async function getJson(address, options) {
  return (await request(address, options)).json();
}

/**
 * @param {string} method
 * @param {string} address
 * @param {unknown} [body]
 * @returns {Promise<any>}
 */
export async function send(method, address, body) {
  const options = body === undefined ? { method } : { method, body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  const response = await request(address, options);
  const text = await response.text();
  return text === "" ? null : JSON.parse(text);
}
