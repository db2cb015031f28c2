using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace FailoverHub.Web.Data.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class HistoryTimes : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // Which stretches of time (2 to the power of 22 ms) each block (2 to the power of 13 numbers) has entries of; written by PostgresSearch. One walk over the
            // rows fills it for what is there, with nobody else at the database: a second for a million, and either all of it or nothing.
            foreach ((string index, string table) in new[] { ("Event", "Events"), ("Audit", "Audit") })
            {
                migrationBuilder.Sql($"""CREATE TABLE "{index}Times" ("Block" bigint NOT NULL, "Time" bigint NOT NULL, PRIMARY KEY ("Block", "Time"));""");
                migrationBuilder.Sql($"""INSERT INTO "{index}Times" ("Block", "Time") SELECT DISTINCT "Id" >> 13, "AtMs" >> 22 FROM "{table}";""");
            }
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("""DROP TABLE "AuditTimes";""");
            migrationBuilder.Sql("""DROP TABLE "EventTimes";""");
        }
    }
}
