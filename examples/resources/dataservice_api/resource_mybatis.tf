# Script mode with MyBatis tags: the statement depends on what the caller passes.
resource "dataservice_api" "spoken" {
  name          = "spoken_languages"
  path          = "/languages/spoken"
  auth_type     = "NONE"
  connection_id = dataservice_connection.world.id

  script = {
    sql_mode = "MYBATIS"
    sql      = <<-SQL
      SELECT DISTINCT l.code, l.name
        FROM languages l
        JOIN region_languages r ON r.language_code = l.code
      <where>
        <if test="script != null">AND l.script = #{script}</if>
        <if test="regions != null">
          AND r.region_code IN
          <foreach collection="regions" item="region" open="(" separator="," close=")">#{region}</foreach>
        </if>
      </where>
       ORDER BY l.name
    SQL
  }

  request_parameters = {
    script  = { type = "STRING", example = "Latn", description = "ISO 15924." }
    regions = { type = "STRING_LIST", example = "CH,IT" }
  }

  response_parameters = {
    code = { type = "STRING" }
    name = { type = "STRING" }
  }

  # The apply fails, and stores nothing, where the answer is another one.
  debug = {
    parameters = { regions = "CH" }
    expect = {
      min_rows = 1
      json     = { "/errCode" = "0", "/data/0/name" = jsonencode("German") }
    }
  }
}
