using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace FailoverHub.Web.Data.Migrations.Sqlite
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
                    Id = table.Column<string>(type: "TEXT", nullable: false),
                    Hash = table.Column<string>(type: "TEXT", nullable: false),
                    CreatedBy = table.Column<string>(type: "TEXT", nullable: false),
                    CreatedAtMs = table.Column<long>(type: "INTEGER", nullable: false),
                    ExpiresAtMs = table.Column<long>(type: "INTEGER", nullable: false),
                    Node = table.Column<string>(type: "TEXT", nullable: true),
                    ForExisting = table.Column<bool>(type: "INTEGER", nullable: false),
                    UsedAtMs = table.Column<long>(type: "INTEGER", nullable: true),
                    UsedBy = table.Column<string>(type: "TEXT", nullable: true),
                    WithdrawnAtMs = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_JoinTokens", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "NodeCertificates",
                columns: table => new
                {
                    Serial = table.Column<string>(type: "TEXT", nullable: false),
                    NodeId = table.Column<string>(type: "TEXT", nullable: false),
                    IssuedAtMs = table.Column<long>(type: "INTEGER", nullable: false),
                    NotAfterMs = table.Column<long>(type: "INTEGER", nullable: false),
                    IsRenewal = table.Column<bool>(type: "INTEGER", nullable: false),
                    RevokedAtMs = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_NodeCertificates", x => x.Serial);
                });

            migrationBuilder.CreateTable(
                name: "NodeIdentities",
                columns: table => new
                {
                    NodeId = table.Column<string>(type: "TEXT", nullable: false),
                    Name = table.Column<string>(type: "TEXT", nullable: false),
                    NameKey = table.Column<string>(type: "TEXT", nullable: false),
                    JoinedAtMs = table.Column<long>(type: "INTEGER", nullable: false),
                    RevokedAtMs = table.Column<long>(type: "INTEGER", nullable: true),
                    RevokedReason = table.Column<string>(type: "TEXT", nullable: true),
                    RemovedAtMs = table.Column<long>(type: "INTEGER", nullable: true)
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
