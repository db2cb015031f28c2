using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace FailoverHub.Web.Data.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class CheckpointsAndSearch : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "AuditCheckpoints",
                columns: table => new
                {
                    Id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    AtMs = table.Column<long>(type: "INTEGER", nullable: false),
                    EntryId = table.Column<long>(type: "INTEGER", nullable: false),
                    EntryHash = table.Column<string>(type: "TEXT", nullable: false),
                    KeyId = table.Column<string>(type: "TEXT", nullable: false),
                    PublicKey = table.Column<string>(type: "TEXT", nullable: false),
                    Signature = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_AuditCheckpoints", x => x.Id);
                });

            migrationBuilder.CreateIndex(
                name: "IX_AuditCheckpoints_EntryId",
                table: "AuditCheckpoints",
                column: "EntryId");

            migrationBuilder.Sql("CREATE TRIGGER audit_checkpoint_is_never_changed BEFORE UPDATE ON AuditCheckpoints BEGIN SELECT RAISE(ABORT, 'The audit is append-only.'); END;");
            migrationBuilder.Sql("CREATE TRIGGER audit_checkpoint_is_never_deleted BEFORE DELETE ON AuditCheckpoints BEGIN SELECT RAISE(ABORT, 'The audit is append-only.'); END;");

            // For each term (SearchTerms) the numbers of the entries that have it: no text and no positions. Filled by SqliteSearch.
            migrationBuilder.Sql("CREATE VIRTUAL TABLE EventTerms USING fts5(Terms, content='', contentless_delete=1, detail=none, tokenize=\"ascii tokenchars '-._:/=@~'\");");
            migrationBuilder.Sql("CREATE VIRTUAL TABLE AuditTerms USING fts5(Terms, content='', contentless_delete=1, detail=none, tokenize=\"ascii tokenchars '-._:/=@~'\");");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("DROP TABLE AuditTerms;");
            migrationBuilder.Sql("DROP TABLE EventTerms;");
            migrationBuilder.DropTable(
                name: "AuditCheckpoints");
        }
    }
}
