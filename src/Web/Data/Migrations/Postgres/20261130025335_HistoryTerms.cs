using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace FailoverHub.Web.Data.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class HistoryTerms : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // The terms of each entry (SearchTerms), and its block. Filled by PostgresSearch; what is there already at the next start of the hub.
            foreach (string table in new[] { "Event", "Audit" })
            {
                migrationBuilder.Sql($"""CREATE TABLE "{table}Terms" ("Id" bigint NOT NULL PRIMARY KEY, "Terms" tsvector NOT NULL);""");
                migrationBuilder.Sql($"""CREATE INDEX "IX_{table}Terms_Terms" ON "{table}Terms" USING gin ("Terms");""");
            }
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("""DROP TABLE "AuditTerms";""");
            migrationBuilder.Sql("""DROP TABLE "EventTerms";""");
        }
    }
}
