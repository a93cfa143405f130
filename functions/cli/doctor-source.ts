/** `source` of the requests that the doctor sends from end to end. Nobody asked for them, so `report` leaves them out. */
export const DOCTOR_SOURCE = 'mysafe-enable doctor';
