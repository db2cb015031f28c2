using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace FailoverHub.Web.Data.Migrations.Postgres
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
                    Id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    AtMs = table.Column<long>(type: "bigint", nullable: false),
                    EntryId = table.Column<long>(type: "bigint", nullable: false),
                    EntryHash = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    KeyId = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    PublicKey = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Signature = table.Column<string>(type: "text", nullable: false, collation: "C")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_AuditCheckpoints", x => x.Id);
                });

            migrationBuilder.CreateIndex(
                name: "IX_AuditCheckpoints_EntryId",
                table: "AuditCheckpoints",
                column: "EntryId");

            migrationBuilder.Sql("""CREATE TRIGGER audit_checkpoint_is_never_changed BEFORE UPDATE OR DELETE ON "AuditCheckpoints" FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();""");
            migrationBuilder.Sql("""CREATE TRIGGER audit_checkpoint_is_never_emptied BEFORE TRUNCATE ON "AuditCheckpoints" FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();""");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "AuditCheckpoints");
        }
    }
}
