using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace FailoverHub.Web.Data.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class NodeIdentities : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "JoinTokens",
                columns: table => new
                {
                    Id = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Hash = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    CreatedBy = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    CreatedAtMs = table.Column<long>(type: "bigint", nullable: false),
                    ExpiresAtMs = table.Column<long>(type: "bigint", nullable: false),
                    Node = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    ForExisting = table.Column<bool>(type: "boolean", nullable: false),
                    UsedAtMs = table.Column<long>(type: "bigint", nullable: true),
                    UsedBy = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    WithdrawnAtMs = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_JoinTokens", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "NodeCertificates",
                columns: table => new
                {
                    Serial = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    NodeId = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    IssuedAtMs = table.Column<long>(type: "bigint", nullable: false),
                    NotAfterMs = table.Column<long>(type: "bigint", nullable: false),
                    IsRenewal = table.Column<bool>(type: "boolean", nullable: false),
                    RevokedAtMs = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_NodeCertificates", x => x.Serial);
                });

            migrationBuilder.CreateTable(
                name: "NodeIdentities",
                columns: table => new
                {
                    NodeId = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Name = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    NameKey = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    JoinedAtMs = table.Column<long>(type: "bigint", nullable: false),
                    RevokedAtMs = table.Column<long>(type: "bigint", nullable: true),
                    RevokedReason = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    RemovedAtMs = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_NodeIdentities", x => x.NodeId);
                });

            migrationBuilder.CreateIndex(
                name: "IX_JoinTokens_Hash",
                table: "JoinTokens",
                column: "Hash",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_NodeCertificates_NodeId_IssuedAtMs",
                table: "NodeCertificates",
                columns: new[] { "NodeId", "IssuedAtMs" });

            migrationBuilder.CreateIndex(
                name: "IX_NodeIdentities_NameKey",
                table: "NodeIdentities",
                column: "NameKey",
                unique: true,
                filter: "\"RemovedAtMs\" IS NULL");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "JoinTokens");

            migrationBuilder.DropTable(
                name: "NodeCertificates");

            migrationBuilder.DropTable(
                name: "NodeIdentities");
        }
    }
}
