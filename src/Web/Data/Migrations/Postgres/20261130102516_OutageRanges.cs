using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace FailoverHub.Web.Data.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class OutageRanges : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "ActiveNode",
                table: "Pairs",
                type: "text",
                nullable: true,
                collation: "C");

            migrationBuilder.AddColumn<long>(
                name: "ShortestMs",
                table: "Outages",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "UnprobedMs",
                table: "Outages",
                type: "bigint",
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "ActiveNode",
                table: "Pairs");

            migrationBuilder.DropColumn(
                name: "ShortestMs",
                table: "Outages");

            migrationBuilder.DropColumn(
                name: "UnprobedMs",
                table: "Outages");
        }
    }
}
