SELECT r.code,
       r.name,
       r.subregion,
       (SELECT group_concat(currency_code, ', ' ORDER BY since)
          FROM region_currencies
         WHERE region_code = r.code) AS currencies,
       (SELECT group_concat(l.name, ', ' ORDER BY l.name)
          FROM region_languages
          JOIN languages l ON l.code = language_code
         WHERE region_code = r.code) AS languages
  FROM regions r
 WHERE r.continent = ${continent}
   AND (${currency} IS NULL
        OR EXISTS (SELECT * FROM region_currencies
                    WHERE region_code = r.code AND currency_code = ${currency}))
 ORDER BY r.name
